// Package english keeps kubectl from reading its translations, which is two fifths of its processor time before its first request: it
// packs them into a zip file and reads that. What kubectl says without them is what it says in English.
package english

import "k8s.io/kubectl/pkg/util/i18n"

// Packages are initialized in the order of their paths, so this runs before any package of kubectl asks for a text.
func init() {
	if err := i18n.SetLoadTranslationsFunc(func() error { return nil }); err != nil {
		panic(err)
	}
}
