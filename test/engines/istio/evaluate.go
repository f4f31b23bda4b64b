package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"sync"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbac "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// Who asks: a SPIFFE ID, empty without TLS, and the address of the connection.
type caller struct {
	identity string
	address  netip.Addr
}

// What a match can come to over all requests that the caller may send: it chooses path, method, host, headers, tokens and server name.
// Two matches on the same of these count as independent, so that more gets in than in truth, never less.
type outcome struct{ yes, no bool }

var (
	always = outcome{yes: true}
	never  = outcome{no: true}
	chosen = outcome{yes: true, no: true}
)

func is(matches bool) outcome {
	if matches {
		return always
	}
	return never
}

func all(outcomes []outcome) outcome {
	result := always
	for _, one := range outcomes {
		result.yes = result.yes && one.yes
		result.no = result.no || one.no
	}
	return result
}

func any(outcomes []outcome) outcome {
	result := never
	for _, one := range outcomes {
		result.yes = result.yes || one.yes
		result.no = result.no && one.no
	}
	return result
}

func not(one outcome) outcome { return outcome{yes: one.no, no: one.yes} }

// Which ports and which callers one policy of RBAC matches, each asked once: a question has many flows of few of them.
type asker struct {
	policy  *rbac.Policy
	ports   map[int]bool
	callers map[*caller]bool
}

func askersOf(rules *rbac.RBAC) []asker {
	askers := make([]asker, 0, len(rules.GetPolicies()))
	for _, policy := range rules.GetPolicies() {
		askers = append(askers, asker{policy: policy, ports: map[int]bool{}, callers: map[*caller]bool{}})
	}
	return askers
}

// Envoy: a policy must have a permission and a principal that match.
func (one *asker) admits(from *caller, port int) bool {
	on, known := one.ports[port]
	if !known {
		on = any(each(one.policy.GetPermissions(), func(of *rbac.Permission) outcome { return permission(of, port) })).yes
		one.ports[port] = on
	}
	if !on {
		return false
	}
	matches, known := one.callers[from]
	if !known {
		matches = any(each(one.policy.GetPrincipals(), func(of *rbac.Principal) outcome { return principal(of, from) })).yes
		one.callers[from] = matches
	}
	return matches
}

func each[Part interface{}](parts []Part, ask func(Part) outcome) []outcome {
	outcomes := make([]outcome, 0, len(parts))
	for _, one := range parts {
		outcomes = append(outcomes, ask(one))
	}
	return outcomes
}

func permission(one *rbac.Permission, port int) outcome {
	on := func(of *rbac.Permission) outcome { return permission(of, port) }
	switch rule := one.GetRule().(type) {
	case *rbac.Permission_AndRules:
		return all(each(rule.AndRules.GetRules(), on))
	case *rbac.Permission_OrRules:
		return any(each(rule.OrRules.GetRules(), on))
	case *rbac.Permission_NotRule:
		return not(permission(rule.NotRule, port))
	case *rbac.Permission_Any:
		return is(rule.Any)
	case *rbac.Permission_DestinationPort:
		return is(int(rule.DestinationPort) == port)
	case *rbac.Permission_DestinationIp, *rbac.Permission_RequestedServerName, *rbac.Permission_Header,
		*rbac.Permission_UrlPath, *rbac.Permission_UriTemplate, *rbac.Permission_Metadata:
		return chosen
	}
	panic(fmt.Sprintf("the permission %T is not known", one.GetRule()))
}

func principal(one *rbac.Principal, from *caller) outcome {
	of := func(one *rbac.Principal) outcome { return principal(one, from) }
	switch rule := one.GetIdentifier().(type) {
	case *rbac.Principal_AndIds:
		return all(each(rule.AndIds.GetIds(), of))
	case *rbac.Principal_OrIds:
		return any(each(rule.OrIds.GetIds(), of))
	case *rbac.Principal_NotId:
		return not(principal(rule.NotId, from))
	case *rbac.Principal_Any:
		return is(rule.Any)
	case *rbac.Principal_Authenticated_:
		// Envoy: without TLS there is no name, and nothing matches.
		return is(from.identity != "" && text(rule.Authenticated.GetPrincipalName(), from.identity))
	case *rbac.Principal_DirectRemoteIp:
		return is(within(rule.DirectRemoteIp, from.address))
	case *rbac.Principal_RemoteIp, *rbac.Principal_Header, *rbac.Principal_Metadata:
		return chosen
	}
	panic(fmt.Sprintf("the principal %T is not known", one.GetIdentifier()))
}

// Envoy's own RE2 matches the whole text.
func text(pattern *matcher.StringMatcher, value string) bool {
	switch match := pattern.GetMatchPattern().(type) {
	case *matcher.StringMatcher_Exact:
		return value == match.Exact
	case *matcher.StringMatcher_Prefix:
		return strings.HasPrefix(value, match.Prefix)
	case *matcher.StringMatcher_Suffix:
		return strings.HasSuffix(value, match.Suffix)
	case *matcher.StringMatcher_SafeRegex:
		return compiled(match.SafeRegex.GetRegex()).MatchString(value)
	}
	panic(fmt.Sprintf("the text %T is not known", pattern.GetMatchPattern()))
}

var patterns sync.Map

func compiled(regex string) *regexp.Regexp {
	if known, ok := patterns.Load(regex); ok {
		return known.(*regexp.Regexp)
	}
	made := regexp.MustCompile("^(?:" + regex + ")$")
	patterns.Store(regex, made)
	return made
}

func within(block *core.CidrRange, address netip.Addr) bool {
	base, err := netip.ParseAddr(block.GetAddressPrefix())
	if err != nil {
		return false
	}
	prefix, err := base.Prefix(int(block.GetPrefixLen().GetValue()))
	return err == nil && prefix.Contains(address)
}
