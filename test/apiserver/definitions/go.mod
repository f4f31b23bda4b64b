// Nothing is built of this module. Its go.sum holds the hashes of the modules whose definitions tests install (network-definitions.ts).
module bulkhead/test/apiserver/definitions

go 1.26
