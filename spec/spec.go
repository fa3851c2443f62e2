// Package spec holds what is written for programs of others: the JSON Schemas
// of every document on the wire and in the home (schema), of every line that
// the commands print with --json (json), and the OpenAPI description of the
// server (openapi.yaml). The rules themselves are the *.md files beside it;
// where code and rules disagree, the rules are right.
package spec

import "embed"

// FS holds schema/*.json, json/*.json (JSON Schema 2020-12) and openapi.yaml.
//
//go:embed schema json openapi.yaml
var FS embed.FS
