package admin

import (
	"fmt"
	"net/http"
	"strings"
)

// object is a JSON object.
type object = map[string]any

// openAPI answers with the OpenAPI document: https://spec.openapis.org/oas/v3.1.0
func (s *Server) openAPI(q *request) error {
	answerJSON(q.w, http.StatusOK, document(s.routes))
	return nil
}

// document describes routes.
func document(routes []route) object {
	paths := object{}
	for _, t := range routes {
		paths[t.path] = object{strings.ToLower(t.method): t.operation()}
	}
	return object{
		"openapi": "3.1.0",
		"info":    object{"title": "wasmill", "version": "1", "description": "What operators ask a process of wasmill. Times are RFC 3339, durations seconds."},
		"paths":   paths,
		"components": object{
			"schemas": object{"Fault": faultSchema()},
			"securitySchemes": object{"token": object{
				"type": "http", "scheme": "bearer", "description": "What is in the file that admin.token.file names. Over a unix socket there is none; TLS does not replace it.",
			}},
		},
	}
}

// faultSchema describes Fault.
func faultSchema() object {
	text := func(about string) object { return object{"type": "string", "description": about} }
	return object{
		"type": "object", "required": []string{"code", "where", "why", "fix"},
		"properties": object{
			"code": text("the kind of error, which does not change"), "where": text("what it is about"), "why": text("the cause"), "fix": text("what to do"),
			"more": object{"type": "array", "items": object{"$ref": "#/components/schemas/Fault"}},
		},
	}
}

// operation describes a route.
func (t *route) operation() object {
	out := object{"summary": t.about, "security": []object{}}
	all := append([]int(nil), t.faults...)
	if !t.open {
		out["security"] = []object{{"token": []string{}}}
		all = append(all, http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable)
	}
	var parameters []object
	if strings.Contains(t.path, "{name}") {
		parameters = append(parameters, object{"name": "name", "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range t.query {
		parameters = append(parameters, object{"name": p.name, "in": "query", "description": p.about, "schema": p.schema()})
	}
	if parameters != nil {
		out["parameters"] = parameters
	}
	if t.body != nil {
		out["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": t.body.schema()}}}
	}
	answers := object{fmt.Sprint(t.success()): object{"description": "done", "content": object{t.media(): object{}}}}
	for _, status := range all {
		answers[fmt.Sprint(status)] = t.refusal(status)
	}
	out["responses"] = answers
	return out
}

func (t *route) refusal(status int) object {
	if t.open {
		return object{"description": http.StatusText(status), "content": object{plainText: object{}}}
	}
	return object{"description": http.StatusText(status), "content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/Fault"}}}}
}

func (p *parameter) schema() object {
	if p.most == 0 {
		return object{"type": "string"}
	}
	return object{"type": "integer", "minimum": p.least, "maximum": p.most}
}

func (b *body) schema() object {
	return object{
		"type": "object", "required": []string{b.field}, "additionalProperties": false,
		"properties": object{b.field: object{"type": "string", "enum": b.choices}},
	}
}

// success is the status of an answer when all is well.
func (t *route) success() int {
	if t.status != 0 {
		return t.status
	}
	return http.StatusOK
}

// media is the type of such an answer.
func (t *route) media() string {
	if t.produces != "" {
		return t.produces
	}
	return "application/json"
}
