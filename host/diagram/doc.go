// Package diagram draws the graph of a pipeline as Mermaid, Graphviz DOT or SVG.
//
//	config.Pipeline ─▶ Graph ─▶ Mermaid | DOT | SVG
//
// Text from a config is escaped for each format.
package diagram
