// Package field reads parts of records that a config names: a key, a header, a
// field of a JSON value, and the event time in one of these.
//
//	Spec ──Parse──────▶ Extractor ──Bytes──▶ part of the record, or absent
//	Spec ──ParseTime──▶ Time ───────Of─────▶ ns since 1970, or why not
//
// Extractors and Times are immutable: any number of goroutines may use one.
//
// JSON values are scanned up to the field and not checked: what is wrong in the
// rest of them goes unseen.
package field
