// Package drop is a sink that counts records and forgets them: what a pipeline
// ends in when only its speed or its side effects matter.
package drop
