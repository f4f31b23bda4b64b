module github.com/projectcalico/api

go 1.26.0
