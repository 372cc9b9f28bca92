// kept COUNT
//
// What a kept token costs elsewhere: TokenSource.Token() of golang.org/x/oauth2, when it has a fresh
// one. Prints the nanoseconds of a call beyond the loop's own, over COUNT calls.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/oauth2"
)

// Where a token would come from. It never has to.
type nowhere struct{}

func (nowhere) Token() (*oauth2.Token, error) {
	return nil, fmt.Errorf("the token at hand was not used")
}

//go:noinline
func nothing() {}

func main() {
	count := 0
	if len(os.Args) > 1 {
		count, _ = strconv.Atoi(os.Args[1])
	}
	if count < 1 {
		fmt.Fprintln(os.Stderr, "usage: kept COUNT")
		os.Exit(2)
	}
	source := oauth2.ReuseTokenSource(&oauth2.Token{
		AccessToken: "token", TokenType: "Bearer", Expiry: time.Now().Add(time.Hour),
	}, nowhere{})

	began := time.Now()
	for i := 0; i < count; i++ {
		nothing()
	}
	empty := time.Since(began)
	began = time.Now()
	for i := 0; i < count; i++ {
		if _, err := source.Token(); err != nil {
			fmt.Fprintln(os.Stderr, "kept:", err)
			os.Exit(1)
		}
	}
	full := time.Since(began)
	fmt.Printf("%.3f\n", float64(full-empty)/float64(count))
}
