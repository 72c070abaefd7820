package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/store"
	"github.com/roomwatch/roomwatch/web"
)

// accountTime bounds what a command asks of the accounts.
const accountTime = 20 * time.Second

// accountStore is where the accounts are that a command changes, beside a serve if there is one.
type accountStore struct {
	Store string `default:"file:roomwatch.db" help:"Where the record is kept, as serve has it. A serve may go on beside."`
}

// with runs a command over the accounts.
func (a accountStore) with(do func(context.Context, accounts) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	opened, err := openAccounts(ctx, a.Store)
	return over(ctx, opened, err, do)
}

// reading runs a command that only reads them.
func (a accountStore) reading(do func(context.Context, accounts) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), accountTime)
	defer cancel()
	opened, err := accountsAt(ctx, a.Store, store.ReadAccounts)
	return over(ctx, opened, err, do)
}

func over(ctx context.Context, opened accounts, err error, do func(context.Context, accounts) error) error {
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, opened), opened.Close())
}

// accounts are those of a store, whichever it is.
type accounts interface {
	web.Accounts
	Close() error
}

func openAccounts(ctx context.Context, storeURL string) (accounts, error) {
	return accountsAt(ctx, storeURL, store.OpenAccounts)
}

// accountsAt makes nothing: a command in another folder than serve's must not begin a record of its own, and let
// people in whom no serve lets in.
func accountsAt(ctx context.Context, storeURL string, file func(context.Context, string) (*store.Accounts, error)) (accounts, error) {
	if storeURL == "memory:" {
		return nil, errors.New("STORE=memory: has no accounts that last. Use file:PATH")
	}
	if store.IsRedis(storeURL) {
		return store.OpenRedisAccounts(ctx, storeURL)
	}
	if err := there(strings.TrimPrefix(storeURL, "file:"), "record"); err != nil {
		return nil, err
	}
	return file(ctx, storeURL)
}

// there says which file was looked for when there is none.
func there(path, what string) error {
	_, err := os.Stat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		whole = path
	}
	return fmt.Errorf("there is no %s at %s. Give the STORE that serve has, in the folder that serve runs in; the first start of serve makes it", what, whole)
}

// note writes into the audit trail what the command line did.
func note(ctx context.Context, a accounts, act access.Act, target, detail string) error {
	return a.AddEntry(ctx, access.NewEntry(time.Now().UTC(), act, access.Command(), target, "", detail))
}

type userCommand struct {
	Add      userAdd      `cmd:"" help:"Add a user. The password is read from the terminal or from standard input."`
	List     userList     `cmd:"" help:"List users."`
	Role     userRole     `cmd:"" help:"Give a user another role. All logins of theirs end."`
	Password userPassword `cmd:"" help:"Give a user another password. All logins of theirs end."`
	Disable  userDisable  `cmd:"" help:"Lock a user out, at once."`
	Enable   userEnable   `cmd:"" help:"Let a user in again."`
	Remove   userRemove   `cmd:"" help:"Remove a user."`
}

// named is a user by the name they log in with.
type named struct {
	accountStore `embed:""`
	Auth         string `default:"local" enum:"local,oidc,proxy,none" help:"As serve has it: users of a proxy have no password."`
	Name         string `arg:"" help:"The name to log in with; of a user of an identity provider, the key that user list shows."`
}

func (n named) key() (access.UserKey, error) {
	if strings.HasPrefix(n.Name, "oidc:") {
		return access.UserKey(n.Name), nil
	}
	name, err := access.ParseName(n.Name)
	if n.Auth == web.ByProxy {
		return access.ProxyKey(name), err
	}
	return access.LocalKey(name), err
}

type userAdd struct {
	named `embed:""`
	Role  string `required:"" enum:"viewer,operator,admin" help:"viewer, operator or admin."`
}

// Run adds the user.
func (cmd *userAdd) Run() error {
	key, err := cmd.key()
	if err != nil {
		return err
	}
	name, err := access.ParseName(cmd.Name)
	if err != nil {
		return err
	}
	u := access.User{Key: key, Name: name, Role: access.Role(cmd.Role), CreatedAt: time.Now().UTC()}
	if key.Local() {
		if u.Password, err = askPassword(name); err != nil {
			return err
		}
	}
	err = cmd.with(func(ctx context.Context, a accounts) error {
		if err := a.AddUser(ctx, u, false); err != nil {
			return err
		}
		return note(ctx, a, access.ActUserAdded, string(key), cmd.Role)
	})
	if err == nil {
		fmt.Printf("%s can log in as %s\n", name, cmd.Role)
	}
	return err
}

// askPassword asks twice on a terminal, and reads a line elsewhere. It is the PHC text of the password.
func askPassword(name string) (string, error) {
	password, err := readPassword("Password of "+name+": ", "Once more: ")
	if err != nil {
		return "", err
	}
	if err := access.CheckPassword(password, name); err != nil {
		return "", err
	}
	return web.NewPasswords().Hash(context.Background(), password)
}

func readPassword(prompts ...string) (password string, err error) {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 2*access.MaxPassword)).ReadString('\n')
		if err != nil && (!errors.Is(err, io.EOF) || line == "") {
			return "", errors.New("no password: write it to standard input, or use a terminal")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	for i, prompt := range prompts {
		fmt.Fprint(os.Stderr, prompt)
		typed, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return "", err
		}
		if i > 0 && string(typed) != password {
			return "", errors.New("the two differ")
		}
		password = string(typed)
	}
	return password, nil
}

type userList struct {
	accountStore `embed:""`
}

// Run prints users, one a line.
func (cmd *userList) Run() error {
	return cmd.reading(func(ctx context.Context, a accounts) error {
		users, err := a.Users(ctx)
		for _, u := range users {
			state := map[bool]string{true: "locked out", false: "may log in"}[u.Disabled]
			fmt.Printf("%-24s %-9s %-11s %s  %s\n", u.Name, u.Role, state, u.CreatedAt.Format(time.DateOnly), u.Key)
		}
		return err
	})
}

// change changes the user that a command names.
func (n named) change(act access.Act, detail string, change func(access.User) access.User) error {
	key, err := n.key()
	if err != nil {
		return err
	}
	return n.with(func(ctx context.Context, a accounts) error {
		_, after, err := a.ChangeUser(ctx, key, change)
		if err != nil {
			return err
		}
		fmt.Printf("%s is changed; what they had open has ended\n", after.Name)
		return note(ctx, a, act, string(key), detail)
	})
}

type userRole struct {
	named   `embed:""`
	NewRole string `arg:"" name:"role" enum:"viewer,operator,admin" help:"viewer, operator or admin."`
}

// Run changes the role.
func (cmd *userRole) Run() error {
	return cmd.change(access.ActRoleChanged, cmd.NewRole, func(u access.User) access.User { return u.WithRole(access.Role(cmd.NewRole)) })
}

type userPassword struct {
	named `embed:""`
}

// Run changes the password.
func (cmd *userPassword) Run() error {
	key, err := cmd.key()
	if err == nil && !key.Local() {
		err = errors.New("this user has no password here")
	}
	if err != nil {
		return err
	}
	phc, err := askPassword(cmd.Name)
	if err != nil {
		return err
	}
	return cmd.change(access.ActPasswordChanged, "", func(u access.User) access.User { return u.WithPassword(phc) })
}

type userDisable struct {
	named `embed:""`
}

// Run locks the user out.
func (cmd *userDisable) Run() error {
	return cmd.change(access.ActUserDisabled, "", func(u access.User) access.User { return u.WithDisabled(true) })
}

type userEnable struct {
	named `embed:""`
}

// Run lets the user in again.
func (cmd *userEnable) Run() error {
	return cmd.change(access.ActUserEnabled, "", func(u access.User) access.User { return u.WithDisabled(false) })
}

type userRemove struct {
	named `embed:""`
}

// Run removes the user.
func (cmd *userRemove) Run() error {
	key, err := cmd.key()
	if err != nil {
		return err
	}
	return cmd.with(func(ctx context.Context, a accounts) error {
		if err := a.RemoveUser(ctx, key); err != nil {
			return err
		}
		return note(ctx, a, access.ActUserRemoved, string(key), "")
	})
}

type tokenCommand struct {
	API    tokenAPI    `cmd:"" name:"api" help:"Make an API token and print it."`
	Embed  tokenEmbed  `cmd:"" help:"Make an embed token and print it."`
	List   tokenList   `cmd:"" help:"List API tokens."`
	Revoke tokenRevoke `cmd:"" help:"Revoke an API token."`
}

type tokenAPI struct {
	accountStore `embed:""`
	Name         string   `arg:"" help:"What it is for."`
	Scope        []string `required:"" help:"What it may: read:state, read:metrics, mint:embed." placeholder:"SCOPE"`
	For          Period   `default:"90d" help:"How long it lives, at most 366d."`
	Mask         bool     `help:"Names of people are masked."`
}

// Run makes the token. It is printed once, alone on its line, and kept nowhere.
func (cmd *tokenAPI) Run() error {
	scopes, err := access.ParseScopes(cmd.Scope)
	if err != nil {
		return err
	}
	var random access.Random
	_, _ = rand.Read(random[:]) // never fails
	text := access.TokenAPI.Token(random)
	t, err := access.NewAPIToken(access.HashOf(text), cmd.Name, scopes, cmd.Mask, "", time.Now().UTC(), time.Duration(cmd.For))
	if err != nil {
		return err
	}
	err = cmd.with(func(ctx context.Context, a accounts) error {
		if err := a.AddToken(ctx, t); err != nil {
			return err
		}
		return note(ctx, a, access.ActTokenCreated, t.Name, strings.Join(cmd.Scope, " "))
	})
	if err == nil {
		fmt.Println(text)
	}
	return err
}

type tokenList struct {
	accountStore `embed:""`
}

// Run prints tokens, one a line; of each there is only its id.
func (cmd *tokenList) Run() error {
	return cmd.reading(func(ctx context.Context, a accounts) error {
		tokens, err := a.Tokens(ctx)
		for _, t := range tokens {
			state := "ends " + t.ExpiresAt.Format(time.DateOnly)
			if err := t.Check(time.Now()); err != nil {
				state = err.Error()
			}
			fmt.Printf("%s  %-24s %-28s %s\n", t.ID(), t.Name, fmt.Sprint(t.Scopes), state)
		}
		return err
	})
}

type tokenRevoke struct {
	accountStore `embed:""`
	ID           string `arg:"" name:"id" help:"As token list shows it."`
}

// Run revokes the token.
func (cmd *tokenRevoke) Run() error {
	return cmd.with(func(ctx context.Context, a accounts) error {
		tokens, err := a.Tokens(ctx)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if t.ID() == cmd.ID {
				return errors.Join(a.RevokeToken(ctx, t.Hash, time.Now().UTC()), note(ctx, a, access.ActTokenRevoked, t.Name, t.ID()))
			}
		}
		return access.ErrUnknown
	})
}

type tokenEmbed struct {
	Config `embed:""`
	Source string        `default:"default" help:"The source whose rooms are shown."`
	RoomID string        `name:"room-id" help:"The one room to show." xor:"what"`
	All    bool          `help:"Show all rooms of the source." xor:"what"`
	Parent string        `required:"" help:"The origin that frames it, one of EMBED_PARENTS." placeholder:"URL"`
	TTL    time.Duration `default:"5m" help:"How long it lives, at most 5m."`
	Mask   bool          `help:"Names of people are masked."`
}

// Run makes the token as the serve with these settings would, and prints it.
func (cmd *tokenEmbed) Run() error {
	if err := cmd.secretThere(); err != nil {
		return err
	}
	auth, err := cmd.auth(nil)
	if err != nil {
		return err
	}
	if len(auth.Secret) == 0 {
		return errors.New("no SECRET: set the one that serve has")
	}
	scope := access.EmbedScope{Source: cmd.Source, RoomID: cmd.RoomID, All: cmd.All, Parent: access.Origin(cmd.Parent), Mask: cmd.Mask}
	e, err := access.NewEmbed(scope, time.Now(), cmd.TTL)
	if err == nil && !scope.Framable(auth.Parents) {
		err = fmt.Errorf("%s is not in EMBED_PARENTS: serve would refuse the token", cmp.Or(cmd.Parent, "an empty parent"))
	}
	if err != nil {
		return err
	}
	tokens, err := web.NewEmbedTokens(auth.Secret)
	if err != nil {
		return err
	}
	text, err := tokens.Mint(e)
	if err == nil {
		fmt.Println(text)
	}
	return err
}
