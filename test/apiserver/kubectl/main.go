// Command kubectl is the kubectl of the modules that the control plane is built of.
package main

import (
	"os"

	_ "bulkhead/test/apiserver/kubectl/english"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
)

func main() {
	os.Exit(cli.Run(kubectl.NewDefaultKubectlCommand()))
}
