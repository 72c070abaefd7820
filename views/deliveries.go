package views

import "github.com/roomwatch/roomwatch/live"

// deliveryElements are the rows of deliveries.
func deliveryElements([]live.DeliveryRow, bool) []live.Element { return nil }
