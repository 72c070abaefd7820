package web

import (
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

// metrics are for Prometheus. No room and no person is in a label; sources are, they are configured.
type metrics struct {
	registry   *prometheus.Registry
	deliveries *prometheus.CounterVec // by source, verdict and, for what was refused, why
	keys       *prometheus.CounterVec // by source and which of its secrets signed: 0 the current one
	conflicts  prometheus.Counter
	unstored   prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "roomwatch_deliveries_total",
			Help: "Deliveries by source, verdict and, for refused ones, the reason in one word."}, []string{"source", "verdict", "reason"}),
		keys: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "roomwatch_signed_total",
			Help: "Authentic deliveries by source and index of the secret: 0 is the current, 1 the previous one."}, []string{"source", "key_index"}),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{Name: "roomwatch_dedupe_conflict_total",
			Help: "Duplicates whose body differs from the one that was recorded."}),
		unstored: prometheus.NewCounter(prometheus.CounterOpts{Name: "roomwatch_unstored_total",
			Help: "Authentic deliveries that could not be stored and were answered 503."}),
	}
	m.registry.MustRegister(m.deliveries, m.keys, m.conflicts, m.unstored, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) signed(proof plugnmeet.Proof) {
	m.keys.WithLabelValues(proof.Source, strconv.Itoa(proof.KeyIndex)).Inc()
}

func (m *metrics) count(d room.Delivery, code string) {
	m.deliveries.WithLabelValues(d.Source, string(d.Verdict), code).Inc()
}

func (m *metrics) conflict(d room.Delivery) {
	if d.Reason == room.Conflict {
		m.conflicts.Inc()
	}
}

// gauge adds a figure that is read when it is asked for.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// labelled adds a count with a label, one for each value.
func (m *metrics) labelled(name, help, label, value string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: name, Help: help, ConstLabels: prometheus.Labels{label: value}}, read))
}

// counter adds a count that is kept elsewhere and read when it is asked for.
func (m *metrics) counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}

// sourceGauges are the figures of each source at the moment. What was not measured is absent.
type sourceGauges struct{ board *live.Board }

var (
	skewGauge = prometheus.NewDesc("roomwatch_clock_skew_seconds",
		"How far LiveKit's clock is ahead of plugNmeet's, by many deliveries.", []string{"source"}, nil)
	aheadGauge = prometheus.NewDesc("roomwatch_clock_ahead_seconds",
		"How far plugNmeet's clock is ahead of ours, by many deliveries.", []string{"source"}, nil)
	leftOutGauge = prometheus.NewDesc("roomwatch_left_out",
		"Connections, tracks, starts and ends of sessions in memory that are left out as an earlier session's.", []string{"source"}, nil)
)

// Describe names the figures.
func (sourceGauges) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{skewGauge, aheadGauge, leftOutGauge} {
		out <- desc
	}
}

// Collect tells them.
func (g sourceGauges) Collect(out chan<- prometheus.Metric) {
	tell := func(desc *prometheus.Desc, value float64, source string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, source)
	}
	for _, s := range g.board.Sources() {
		tell(leftOutGauge, float64(g.board.LeftOut(s.Name)), s.Name)
		if c := s.Clocks; !c.MeasuredAt.IsZero() {
			tell(skewGauge, float64(c.Skew)/1000, s.Name)
			tell(aheadGauge, float64(c.PlugNmeet)/1000, s.Name)
		}
	}
}

// serve answers in the Prometheus text format.
func (m *metrics) serve() fiber.Handler {
	return func(c *fiber.Ctx) error {
		families, err := m.registry.Gather()
		if err != nil {
			return err
		}
		format := expfmt.NewFormat(expfmt.TypeTextPlain)
		c.Set(fiber.HeaderContentType, string(format))
		encoder := expfmt.NewEncoder(c.Response().BodyWriter(), format)
		for _, family := range families {
			if err := encoder.Encode(family); err != nil {
				return err
			}
		}
		return nil
	}
}
