// Roomwatch shows what happens in the rooms of plugNmeet, live.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

// Exit codes: 1 for what failed or was refused, 2 for a command line that cannot be understood.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	_, command, err := parse(os.Args[1:])
	if err != nil {
		fail(exitUsage, err)
	}
	if err := command.Run(); err != nil {
		fail(exitFailed, err)
	}
}

// parse reads the command line, the environment and the file of --config.
func parse(args []string) (*CLI, *kong.Context, error) {
	cli := new(CLI)
	parser, err := kong.New(cli,
		kong.Name("roomwatch"),
		kong.Description("A live dashboard for plugNmeet: rooms, people, recordings and artifacts, as they happen."),
		kong.DefaultEnvars("ROOMWATCH"),
		kong.Configuration(fromYAML),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic(err) // the declarations in CLI are wrong
	}
	command, err := parser.Parse(args)
	return cli, command, err
}

func fail(code int, err error) {
	fmt.Fprintln(os.Stderr, "roomwatch:", err)
	os.Exit(code)
}
