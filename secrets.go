package main

import (
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// secretOf is a secret that is set or, when it is not, the one in a file, as it was meant (see meant). The
// setting is named without its _FILE.
func secretOf(set plugnmeet.Secret, file, setting string) (plugnmeet.Secret, error) {
	given, err := meant(string([]byte(set)), setting)
	if err != nil || file == "" {
		return plugnmeet.Secret(given), err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", setting, err)
	}
	if given != "" {
		return plugnmeet.Secret(given), nil
	}
	held, err := meant(string(data), "what "+setting+"_FILE names")
	if err == nil && held == "" {
		err = fmt.Errorf("%s_FILE: %s is empty", setting, file)
	}
	return plugnmeet.Secret(held), err
}

// meant is a key or secret as whoever set it meant it. White space around it comes from files and from copying, and
// is left out. Quotes around it, and what nobody sees within it, are refused: they may belong to it or not, and a
// wrong guess would show as a wrong signature much later. The error does not hold the text.
func meant(text, setting string) (string, error) {
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return "", fmt.Errorf("%s is written in UTF-16: write it in UTF-8", setting)
	}
	text = strings.TrimFunc(text, invisible)
	switch {
	case inQuotes(text):
		return "", fmt.Errorf("%s has quotes around it, which would count as a part of it: write it without "+
			"(an env file of Docker's keeps them)", setting)
	case utf8.ValidString(text) && strings.ContainsFunc(text, invisibleWithin):
		return "", fmt.Errorf("%s has a line break or another character within it that nobody sees: "+
			"write it on one line, and nothing else with it", setting)
	}
	return text, nil
}

// invisible are white space, the mark that some editors begin a file with, and what has no width.
func invisible(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf) }

func invisibleWithin(r rune) bool { return r != ' ' && invisible(r) }

// quotes are pairs that people and programs put around a text.
var quotes = [][2]string{{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"‘", "’"}, {"„", "“"}, {"«", "»"}}

func inQuotes(text string) bool {
	for _, pair := range quotes {
		inner, opened := strings.CutPrefix(text, pair[0])
		if opened && strings.HasSuffix(inner, pair[1]) {
			return true
		}
	}
	return false
}

// neat refuses an address with white space or quotes around it: it may hold a password, so it is not shown.
func neat(value, setting string) error {
	if inQuotes(value) || strings.TrimFunc(value, invisible) != value {
		return fmt.Errorf("%s has quotes, a space or a line break around it: write it without", setting)
	}
	return nil
}
