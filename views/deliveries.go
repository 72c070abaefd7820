package views

import (
	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
)

// deliveryElements are the rows of deliveries.
func deliveryElements([]live.DeliveryRow, bool) []live.Element { return nil }

// deliveriesTable is the table that deliveryElements are the bodies of.
func deliveriesTable(_ bool, rows []byte) templ.Component {
	return rendered(append([]byte(`<table id="deliveries" class="deliveries" data-hold>`), append(rows, "</table>"...)...))
}
