package access_test

import (
	"slices"
	"testing"

	"github.com/roomwatch/roomwatch/access"
)

func TestGreaterRolesContainLesserOnesAndNothingElseIsARole(t *testing.T) {
	order := []access.Role{access.Viewer, access.Operator, access.Admin}
	for i, role := range order {
		for j, least := range order {
			if role.AtLeast(least) != (i >= j) {
				t.Errorf("%s at least %s: %t", role, least, i < j)
			}
		}
	}
	for _, odd := range []access.Role{"", "root", "Admin", "admin "} {
		if odd.AtLeast(access.Viewer) || access.Admin.AtLeast(odd) || odd.AtLeast(odd) {
			t.Errorf("%q counts as a role", odd)
		}
		if _, err := access.ParseRole(string(odd)); err == nil {
			t.Errorf("%q was read as a role", odd)
		}
	}
}

func TestScopesAreReadOnceEachAndNoneIsRefused(t *testing.T) {
	got, err := access.ParseScopes([]string{"mint:embed", "read:state", "mint:embed"})
	if err != nil || !slices.Equal(got, []access.Scope{access.ReadState, access.MintEmbed}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, odd := range [][]string{nil, {""}, {"read:state", "write:state"}, {"read:*"}} {
		if got, err := access.ParseScopes(odd); err == nil {
			t.Errorf("%q gave %v", odd, got)
		}
	}
}

func TestTheGreatestRoleOfTheGroupsCountsAndNoGroupIsNoEntry(t *testing.T) {
	roles, err := access.ParseGroupRoles([]string{"ops=operator", "CN=rw-admins,OU=IT=admin", "staff=viewer"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		groups []string
		want   access.Role
	}{
		{nil, ""},
		{[]string{"others"}, ""},
		{[]string{"*"}, ""},
		{[]string{"staff", "ops", "others"}, access.Operator},
		{[]string{"CN=rw-admins,OU=IT", "staff"}, access.Admin},
		{[]string{"OPS"}, ""},
	} {
		if got := roles.Role(c.groups); got != c.want {
			t.Errorf("%q are %q, want %q", c.groups, got, c.want)
		}
	}
	everybody, err := access.ParseGroupRoles([]string{"*=viewer", "ops=operator"})
	if err != nil || everybody.Role(nil) != access.Viewer || everybody.Role([]string{"ops"}) != access.Operator {
		t.Error("the group * is not everybody:", err)
	}
	for _, odd := range []string{"", "ops", "=admin", "ops=root", "ops="} {
		if _, err := access.ParseGroupRoles([]string{odd}); err == nil {
			t.Errorf("%q was read", odd)
		}
	}
	if _, err := access.ParseGroupRoles([]string{"ops=viewer", "ops=admin"}); err == nil {
		t.Error("a group with two roles was read")
	}
}
