package plugnmeet

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is an API secret. However it is printed, logged or written as text, it says "[redacted]";
// only a conversion to string gives it away.
type Secret string

// String hides the secret.
func (Secret) String() string { return redacted }

// GoString hides the secret.
func (Secret) GoString() string { return redacted }

// Format hides the secret whatever the verb: fmt would print it raw for one that does not fit a string.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from JSON and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
