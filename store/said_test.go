package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// give sets every member of v, one that v points to as well, and calls each with what has it alone.
func give(v reflect.Value, each func()) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		each()
		give(v.Elem(), each)
	case reflect.Struct:
		for i := range v.NumField() {
			give(v.Field(i), each)
			v.Field(i).SetZero()
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		each()
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), reflect.ValueOf(int64(5)))
		each()
	case reflect.String:
		for _, text := range []string{"plain", "<é\u2028>", "a \"b\" \\ \n"} {
			v.SetString(text)
			each()
		}
	case reflect.Bool:
		v.SetBool(true)
		each()
	case reflect.Float64:
		v.SetFloat(1.5)
		each()
	case reflect.Uint8:
		v.SetUint(7)
		each()
	default:
		v.SetInt(-12345678901234)
		if v.Kind() == reflect.Int {
			v.SetInt(77)
		}
		each()
	}
}

// What is written without reflection must be what JSON says, whatever member an event has: one that is added to
// room.Event and left out here shows.
func TestWhatAnEntrySaysIsWrittenWhole(t *testing.T) {
	t.Parallel()
	n := 0
	var e room.Event
	check := func() {
		t.Helper()
		n++
		data, err := encodeSaid(&e)
		var back room.Event
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		plain, _ := json.Marshal(e)
		var want room.Event
		if err != nil || json.Unmarshal(plain, &want) != nil || !reflect.DeepEqual(back, want) {
			t.Errorf("%s is written as %s (%v)", plain, data, err)
		}
	}
	check()
	give(reflect.ValueOf(&e).Elem(), check)
	if n < 60 {
		t.Errorf("only %d members were looked at", n)
	}
}
