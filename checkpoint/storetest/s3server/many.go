package s3server

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

type xmlError struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`
}

type xmlLocation struct {
	XMLName xml.Name `xml:"LocationConstraint"`
}

type xmlList struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name                  string
	Prefix                string
	KeyCount              int
	MaxKeys               int
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []xmlObject
}

type xmlObject struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
}

type xmlDelete struct {
	Object []struct{ Key string }
}

type xmlDeleted struct {
	XMLName xml.Name    `xml:"DeleteResult"`
	Deleted []xmlObject `xml:",omitempty"`
}

// list answers with one page of keys, in order.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	most, err := strconv.Atoi(query.Get("max-keys"))
	if err != nil || most > 1000 {
		most = 1000
	}
	after := max(query.Get("start-after"), query.Get("continuation-token"))
	name := func(key string) string { return key }
	if query.Get("encoding-type") == "url" {
		name = url.QueryEscape
	}
	result := xmlList{Name: s.Bucket, Prefix: name(query.Get("prefix")), MaxKeys: most, EncodingType: query.Get("encoding-type")}
	s.mu.Lock()
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if key <= after || !strings.HasPrefix(key, query.Get("prefix")) {
			continue
		}
		if len(result.Contents) == most {
			result.IsTruncated = true
			break
		}
		o := s.objects[key]
		result.NextContinuationToken = key
		result.Contents = append(result.Contents, xmlObject{
			Key: name(key), Size: len(o.data), ETag: etag(o.data), LastModified: o.changed.UTC().Format("2006-01-02T15:04:05.000Z"),
		})
	}
	s.mu.Unlock()
	if !result.IsTruncated {
		result.NextContinuationToken = ""
	}
	result.KeyCount = len(result.Contents)
	answer(w, result)
}

// deleteMany removes up to 1000 keys.
func (s *Server) deleteMany(w http.ResponseWriter, r *http.Request) {
	var request xmlDelete
	data, code := body(r)
	if code != "" {
		refuse(w, http.StatusBadRequest, code)
		return
	}
	if err := xml.Unmarshal(data, &request); err != nil || len(request.Object) > 1000 {
		refuse(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	var result xmlDeleted
	s.mu.Lock()
	for _, o := range request.Object {
		delete(s.objects, o.Key)
		result.Deleted = append(result.Deleted, xmlObject{Key: o.Key})
	}
	s.mu.Unlock()
	answer(w, result)
}
