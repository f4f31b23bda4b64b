module bulkhead/test/apiserver/definitions

go 1.26
