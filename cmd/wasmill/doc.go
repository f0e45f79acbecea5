// Command wasmill runs stream processing pipelines whose functions are
// WebAssembly plugins. There is a file for each subcommand, and no logic: what
// they do is in package host and below.
package main
