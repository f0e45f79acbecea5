//go:build !unix

package whole

// needless says that a folder cannot be synced: there is no portable way to make names durable.
func needless(error) bool { return true }
