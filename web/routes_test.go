package web

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"
)

func TestEveryRouteOfTheAPIIsDescribedAndNoOther(t *testing.T) {
	s := &Server{Config: Config{Record: struct{ Record }{}}, app: fiber.New(), metrics: newMetrics()}
	s.routes()
	registered := make(map[string]bool)
	for _, route := range s.app.GetRoutes(true) {
		if strings.HasPrefix(route.Path, "/api") && route.Method != fiber.MethodHead {
			path := route.Path
			for _, param := range route.Params {
				path = strings.Replace(path, ":"+param, "{"+param+"}", 1)
			}
			registered[route.Method+" "+path] = true
		}
	}
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	described := make(map[string]bool)
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	if !maps.Equal(registered, described) {
		t.Errorf("registered %q\ndescribed  %q", slices.Sorted(maps.Keys(registered)), slices.Sorted(maps.Keys(described)))
	}
}
