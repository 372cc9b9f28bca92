// golang.org/x/oauth2/clientcredentials: the client credentials grant of RFC 6749.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var config *clientcredentials.Config
var ctx context.Context

func withToken() oauth2.TokenSource {
	source := config.TokenSource(ctx)
	_, err := source.Token()
	must(err)
	return source
}

// Nanoseconds of a call beyond the loop's own.
func kept(n []int) {
	source := withToken()
	began := time.Now()
	for i := 0; i < n[0]; i++ {
	}
	empty := time.Since(began)
	began = time.Now()
	for i := 0; i < n[0]; i++ {
		if _, err := source.Token(); err != nil {
			must(err)
		}
	}
	fmt.Printf("%.3f\n", float64(time.Since(began)-empty)/float64(n[0]))
}

func cold(n []int) {
	source := config.TokenSource(ctx)
	var ready, all sync.WaitGroup
	gate := make(chan struct{})
	for i := 0; i < n[0]; i++ {
		ready.Add(1)
		all.Add(1)
		go func() {
			ready.Done()
			<-gate
			_, err := source.Token()
			must(err)
			all.Done()
		}()
	}
	ready.Wait()
	timed(func() {
		close(gate)
		all.Wait()
	})
}

func clients(n []int) {
	began := time.Now()
	sources := make([]oauth2.TokenSource, n[0])
	var all sync.WaitGroup
	room := make(chan struct{}, n[2])
	for i := range sources {
		room <- struct{}{}
		all.Add(1)
		go func(i int) {
			sources[i] = withToken()
			<-room
			all.Done()
		}(i)
	}
	all.Wait()
	made := time.Since(began).Seconds() / float64(n[0])
	size := kib("VmRSS")
	turns := n[1] / n[0]
	if turns < 1 {
		turns = 1
	}
	began = time.Now()
	for turn := 0; turn < turns; turn++ {
		for _, source := range sources {
			if _, err := source.Token(); err != nil {
				must(err)
			}
		}
	}
	took := float64(time.Since(began)) / float64(turns*n[0])
	fmt.Printf("%d %.4f %.2f\n", size, made*1e3, took)
}

// request returns a function that calls the API with a client that adds the token.
func request() func() (string, error) {
	var client *http.Client
	url := os.Getenv("COREBANK_BASE_URL") + os.Getenv("BENCH_GET")
	return func() (string, error) {
		if client == nil {
			client = config.Client(ctx)
		}
		answer, err := client.Get(url)
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		if answer.StatusCode != 200 {
			return "", fmt.Errorf("status %d", answer.StatusCode)
		}
		body, err := io.ReadAll(answer.Body)
		return string(body), err
	}
}

func main() {
	config = &clientcredentials.Config{
		ClientID:     os.Getenv("COREBANK_CLIENT_ID"),
		ClientSecret: os.Getenv("COREBANK_CLIENT_SECRET"),
		TokenURL:     os.Getenv("COREBANK_BASE_URL") + "/oauth2/token",
		AuthStyle:    oauth2.AuthStyleInHeader,
	}
	ctx = context.WithValue(context.Background(), oauth2.HTTPClient, trusting())
	run(func() (string, error) {
		token, err := config.Token(ctx)
		if err != nil {
			return "", err
		}
		return token.AccessToken, nil
	}, map[string]mode{"kept": kept, "cold": cold, "clients": clients}, request())
}
