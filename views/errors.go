package views

import (
	"net/http"

	"github.com/a-h/templ"
)

// NotFoundPage answers an address that names nothing.
func NotFoundPage() templ.Component {
	return ErrorPage(http.StatusNotFound, "There is no page at this address.", "Check the address, or start from the live rooms.")
}

// ErrorPage says what happened and what to do next. Both are sentences for people, never causes: those
// belong in the log.
func ErrorPage(status int, happened, next string) templ.Component {
	title := http.StatusText(status)
	if title == "" {
		title = "Something is not as it should be"
	}
	return Page(PageData{Title: title, Root: render(notice(title, happened, next))})
}
