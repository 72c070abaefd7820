package simulate

import (
	"bytes"
	_ "embed"
	"text/template"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// metadata is what varies in room.metadata (contract 2.8). Some of it is secret: receivers must not keep it.
type metadata struct {
	Title, Welcome, ParentRoomID, WebhookURL, Course string
	StartedAt                                        time.Time
	Recording, Streaming                             bool
	MuteOnStart, Analytics, BreakoutsActive          bool
	PlannedMinutes                                   int
	IngressURL, StreamKey, EncryptionKey, SIPPin     string
	Transcribing, ChatTranslation                    bool
	AIChat, Summarizing                              bool
	Language                                         string // that speech is translated into
	ID                                               string // another one after every change
}

//go:embed metadata.tmpl
var metadataText string

var metadataTemplate = template.Must(template.New("metadata").Funcs(template.FuncMap{
	"json": func(text string) (string, error) {
		quoted, err := jsontext.AppendQuote(nil, text)
		return string(quoted), err
	},
}).Parse(metadataText))

// wire is the document as a JSON text in a JSON text. It fails only if the template is wrong.
func (m metadata) wire() jsontext.Value {
	var document bytes.Buffer
	if err := metadataTemplate.Execute(&document, m); err != nil {
		panic(err)
	}
	compact := jsontext.Value(document.Bytes())
	if err := compact.Compact(); err != nil {
		panic(err)
	}
	quoted, err := json.Marshal(string(compact))
	if err != nil {
		panic(err)
	}
	return quoted
}
