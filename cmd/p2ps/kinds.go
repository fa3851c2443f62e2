package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/p2ps/p2ps/pkg/nearby"
	"github.com/p2ps/p2ps/pkg/peer"
	"github.com/p2ps/p2ps/pkg/text"
)

// A settingKind reads the values of one kind of setting: as TOML gives them,
// or as text from the environment and from flags.
type settingKind struct {
	word  string // what a flag of this kind is called for completion and help
	parse func(any) (any, error)
}

var (
	isText = settingKind{"string", func(v any) (any, error) {
		s, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("%v is not a text in quotes", v)
		}
		return s, nil
	}}
	isList     = settingKind{"list", func(v any) (any, error) { return list(v) }}
	isYesNo    = settingKind{"bool", yesNo}
	isCount    = settingKind{"number", count}
	isSize     = settingKind{"size", sizeOf}
	isDuration = settingKind{"duration", duration}
	isColor    = settingKind{"when", oneOf("auto", "always", "never")}
	isAnnounce = settingKind{"mode", oneOf(nearby.Modes()...)}
	isListen   = settingKind{"host:port", hostPort}
	isURL      = settingKind{"url", webAddress}
	isNetworks = settingKind{"network", networks}
)

// list takes an array of texts, or one text with commas.
func list(v any) ([]string, error) {
	words := []string{}
	switch v := v.(type) {
	case []string:
		return v, nil
	case string:
		for word := range strings.SplitSeq(v, ",") {
			if word = strings.TrimSpace(word); word != "" {
				words = append(words, word)
			}
		}
		return words, nil
	case []any:
		for _, item := range v {
			word, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("%v is not a text in quotes", item)
			}
			words = append(words, word)
		}
		return words, nil
	}
	return nil, fmt.Errorf("%v is not a list such as [\"a\", \"b\"]", v)
}

func yesNo(v any) (any, error) {
	switch v {
	case true, "true", "yes", "on", "1":
		return true, nil
	case false, "false", "no", "off", "0":
		return false, nil
	}
	return nil, fmt.Errorf("%q is neither true nor false", fmt.Sprint(v))
}

func count(v any) (any, error) {
	n, err := strconv.Atoi(fmt.Sprint(v))
	if _, quoted := v.(string); err != nil || n < 1 || (!quoted && !isInteger(v)) {
		return nil, fmt.Errorf("%q is not a number from 1", fmt.Sprint(v))
	}
	return n, nil
}

func isInteger(v any) bool {
	switch v.(type) {
	case int, int64:
		return true
	}
	return false
}

// A size is a number of bytes.
type size int64

// String is the shortest way to write it that is exact.
func (s size) String() string {
	unit := ""
	for _, next := range []string{"KiB", "MiB", "GiB"} {
		if s == 0 || s%1024 != 0 {
			break
		}
		s, unit = s/1024, next
	}
	return strconv.FormatInt(int64(s), 10) + unit
}

func sizeOf(v any) (any, error) {
	if n, ok := v.(size); ok {
		return n, nil
	}
	n, err := text.ParseSize(fmt.Sprint(v))
	if _, quoted := v.(string); err != nil || !quoted && !isInteger(v) {
		return nil, fmt.Errorf("%q is no number of bytes such as 500KB, 20MiB or 1073741824", fmt.Sprint(v))
	}
	return size(n), nil
}

func duration(v any) (any, error) {
	if d, ok := v.(time.Duration); ok {
		return d, nil
	}
	s, _ := v.(string)
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return nil, fmt.Errorf("%q is not a time such as 30s or 5m", fmt.Sprint(v))
	}
	return d, nil
}

func oneOf(words ...string) func(any) (any, error) {
	return func(v any) (any, error) {
		s, _ := v.(string)
		if !slices.Contains(words, s) {
			return nil, fmt.Errorf("%q is none of %s", fmt.Sprint(v), strings.Join(words, ", "))
		}
		return s, nil
	}
}

// hostPort takes HOST:PORT, without HOST for every address of this machine.
func hostPort(v any) (any, error) {
	s, _ := v.(string)
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(context.Background(), "tcp", port) // a number, or of /etc/services
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not an address such as :7117 or 127.0.0.1:7117", fmt.Sprint(v))
	}
	return s, nil
}

func webAddress(v any) (any, error) {
	s, ok := v.(string)
	if ok && s == "" {
		return s, nil
	}
	address, err := peer.CheckAddress(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address such as http://example.org:7117", fmt.Sprint(v))
	}
	return address, nil
}

func networks(v any) (any, error) {
	words, err := list(v)
	for _, word := range words {
		_, one := netip.ParseAddr(word)
		_, many := netip.ParsePrefix(word)
		if one != nil && many != nil {
			return nil, errors.Join(err, fmt.Errorf("%q is not a network such as 10.0.0.0/8", word))
		}
	}
	return words, err
}
