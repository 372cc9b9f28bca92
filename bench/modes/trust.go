package main

import (
	"crypto/tls"
	"crypto/x509"
	"math"
	"net/http"
	"os"
	"time"
)

// trusting is an HTTP client that trusts COREBANK_CA_FILE and nobody else.
func trusting() *http.Client {
	pem, err := os.ReadFile(os.Getenv("COREBANK_CA_FILE"))
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots},
			// As many as ask at a time, as authlib has it: without a limit, where Go's own is two.
			MaxIdleConnsPerHost: math.MaxInt,
		},
	}
}
