// Command calico answers with Calico's own selector code which labels a selector matches: one JSON request a line in, one JSON answer a
// line out. Calico makes the selector of a rule's peer in updateprocessors/rules.go, which cannot be built, as it imports a module that
// is not served: effective does the same steps with the same parser, visitor and replacements.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/projectcalico/calico/libcalico-go/lib/selector/parser"
	"github.com/sirupsen/logrus"
)

type request struct {
	// Evaluated as they are.
	Selectors []string `json:"selectors"`
	// Evaluated as Calico makes one of them.
	Entities []entity            `json:"entities"`
	Labels   []map[string]string `json:"labels"`
	// The labels of each are told (network_set.go).
	Sets []networkSet `json:"sets"`

	// Flows through policies (policy.go).
	Parties  []party `json:"parties"`
	Wires    []wire  `json:"wires"`
	Subjects []int   `json:"subjects"`
	Flows    []flow  `json:"flows"`
	Policies []asked `json:"policies"`
	ends     []end
}

// The fields of an EntityRule that select endpoints.
type entity struct {
	Namespace         string           `json:"namespace"`
	NamespaceSelector string           `json:"namespaceSelector"`
	Selector          string           `json:"selector"`
	NotSelector       string           `json:"notSelector"`
	ServiceAccounts   *serviceAccounts `json:"serviceAccounts"`
}

type serviceAccounts struct {
	Names    []string `json:"names"`
	Selector string   `json:"selector"`
}

type answer struct {
	// Empty: the text is a selector.
	Error string `json:"error"`
	// Which of the labels are matched.
	Matched []int `json:"matched"`
}

func main() {
	logrus.SetLevel(logrus.PanicLevel)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		var asked request
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if asked.Parties != nil {
			for _, one := range asked.Parties {
				asked.ends = append(asked.ends, endOf(one))
			}
			results := make([]flows, len(asked.Policies))
			for index, one := range asked.Policies {
				results[index] = asked.judge(one)
			}
			tell(out, results)
			continue
		}
		if asked.Sets != nil {
			labels := make([]map[string]string, len(asked.Sets))
			for index, one := range asked.Sets {
				labels[index] = one.labels()
			}
			tell(out, labels)
			continue
		}
		answers := make([]answer, 0, len(asked.Selectors)+len(asked.Entities))
		for _, text := range asked.Selectors {
			answers = append(answers, evaluate(text, "", asked.Labels))
		}
		for _, one := range asked.Entities {
			answers = append(answers, evaluate(one.effective(), one.NotSelector, asked.Labels))
		}
		tell(out, answers)
	}
}

func tell(out *bufio.Writer, answers any) {
	line, err := json.Marshal(answers)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out.Write(append(line, '\n'))
	out.Flush()
}

// Felix matches an endpoint with both selectors: it has the first, where there is one, and not the second.
func evaluate(text, not string, labels []map[string]string) answer {
	selected, err := parser.Parse(text)
	if err != nil {
		return answer{Error: err.Error(), Matched: []int{}}
	}
	matched := []int{}
	for index, one := range labels {
		if selected.Evaluate(one) {
			matched = append(matched, index)
		}
	}
	if not == "" {
		return answer{Matched: matched}
	}
	excluded, err := parser.Parse(not)
	if err != nil {
		return answer{Error: err.Error(), Matched: []int{}}
	}
	left := []int{}
	for _, index := range matched {
		if !excluded.Evaluate(labels[index]) {
			left = append(left, index)
		}
	}
	return answer{Matched: left}
}

// getEndpointSelector of updateprocessors/rules.go.
func (e entity) effective() string {
	var nsSelector, selector string
	if e.NamespaceSelector != "" {
		nsSelector = attachPrefix(e.NamespaceSelector, "pcns.")
		nsSelector = strings.ReplaceAll(nsSelector, "all()", "has(projectcalico.org/namespace)")
		nsSelector = strings.ReplaceAll(nsSelector, "global()", "!has(projectcalico.org/namespace)")
	} else if e.Namespace != "" {
		nsSelector = fmt.Sprintf("%s == '%s'", "projectcalico.org/namespace", e.Namespace)
	}
	var selectors []string
	if accounts := e.accounts(); accounts != "" {
		selectors = append(selectors, accounts)
	}
	if e.Selector != "" {
		selectors = append(selectors, e.Selector)
	}
	if len(selectors) == 1 {
		selector = selectors[0]
	} else if len(selectors) > 1 {
		selector = "(" + strings.Join(selectors, ") && (") + ")"
	}
	if nsSelector != "" && (selector != "" || e.NotSelector != "" || e.NamespaceSelector != "") {
		if selector != "" {
			selector = fmt.Sprintf("(%s) && (%s)", nsSelector, selector)
		} else {
			selector = nsSelector
		}
	}
	return selector
}

// parseServiceAccounts of updateprocessors/rules.go.
func (e entity) accounts() string {
	if e.ServiceAccounts == nil {
		return ""
	}
	var updated string
	if e.ServiceAccounts.Selector != "" {
		updated = attachPrefix(e.ServiceAccounts.Selector, "pcsa.")
	}
	if len(e.ServiceAccounts.Names) == 0 {
		return updated
	}
	names := fmt.Sprintf("%s in { '%s' }", "projectcalico.org/serviceaccount", strings.Join(e.ServiceAccounts.Names, "', '"))
	parsed, err := parser.Parse(names)
	if err != nil {
		return ""
	}
	if updated != "" {
		return fmt.Sprintf("(%s) && (%s)", updated, parsed.String())
	}
	return parsed.String()
}

// parseSelectorAttachPrefix of updateprocessors/selectors.go.
func attachPrefix(text, prefix string) string {
	parsed, err := parser.Parse(text)
	if err != nil {
		return ""
	}
	parsed.AcceptVisitor(parser.PrefixVisitor{Prefix: prefix})
	return parsed.String()
}
