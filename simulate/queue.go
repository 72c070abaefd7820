package simulate

import (
	"container/heap"
	"time"
)

// queue holds what is to come, by its time; what has the same time in the order in which it was added.
type queue[T any] struct {
	order sooner[T]
	added uint64
}

type timed[T any] struct {
	at   time.Time
	n    uint64
	what T
}

func (q *queue[T]) add(at time.Time, what T) {
	q.added++
	heap.Push(&q.order, timed[T]{at, q.added, what})
}

// first is when the next comes; ok is false if none does.
func (q *queue[T]) first() (at time.Time, ok bool) {
	if len(q.order) == 0 {
		return time.Time{}, false
	}
	return q.order[0].at, true
}

func (q *queue[T]) take() T { return heap.Pop(&q.order).(timed[T]).what }

// hurry makes everything come factor times sooner than it would, seen from now.
func (q *queue[T]) hurry(now time.Time, factor float64) {
	for i, item := range q.order {
		q.order[i].at = now.Add(time.Duration(float64(item.at.Sub(now)) / factor))
	}
	heap.Init(&q.order)
}

// sooner is the queue as container/heap wants it.
type sooner[T any] []timed[T]

func (s sooner[T]) Len() int      { return len(s) }
func (s sooner[T]) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s sooner[T]) Less(i, j int) bool {
	if !s[i].at.Equal(s[j].at) {
		return s[i].at.Before(s[j].at)
	}
	return s[i].n < s[j].n
}

func (s *sooner[T]) Push(item any) { *s = append(*s, item.(timed[T])) }

func (s *sooner[T]) Pop() any {
	last := len(*s) - 1
	item := (*s)[last]
	(*s)[last] = timed[T]{}
	*s = (*s)[:last]
	return item
}
