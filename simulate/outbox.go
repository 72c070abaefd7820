package simulate

import "time"

// maxHeld bounds what waits to be sent: beyond it nothing is made late.
const maxHeld = 4096

// outbox is what lies between what happens and its delivery.
type outbox struct {
	plan  Plan
	dice  dice // of its own: the same things happen, however badly they are delivered
	queue queue[Delivery]
}

func (o *outbox) put(d Delivery) {
	lost, late := o.dice.chance(o.plan.Drop), o.dice.chance(o.plan.Late)
	if lost {
		return
	}
	if o.queue.order.Len() < maxHeld {
		if o.plan.Shuffle {
			d.At = d.At.Add(o.dice.between(0, 30*time.Second))
		}
		if late {
			d.At = d.At.Add(o.dice.between(time.Minute, 10*time.Minute))
		}
	}
	o.queue.add(d.At, d)
	if o.dice.chance(o.plan.Duplicate) {
		d.At = d.At.Add(o.dice.between(0, 5*time.Second))
		o.queue.add(d.At, d)
	}
}

// deliver yields what is due by end; false means that no more is wanted.
func (o *outbox) deliver(end time.Time, yield func(Delivery) bool) bool {
	for {
		at, some := o.queue.first()
		if !some || at.After(end) {
			return true
		}
		if !yield(o.queue.take()) {
			return false
		}
	}
}
