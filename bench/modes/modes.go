// What a Go peer can be asked to do, and how it times itself.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A mode is given the numbers of the command line.
type mode func(numbers []int)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func kib(name string) int {
	text, err := os.ReadFile("/proc/self/status")
	must(err)
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, name+":") {
			kib, err := strconv.Atoi(strings.Fields(line)[1])
			must(err)
			return kib
		}
	}
	return 0
}

func cpu() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// timed prints the seconds that the work takes: wall, CPU.
func timed(work func()) {
	wall, used := time.Now(), cpu()
	work()
	fmt.Printf("%.9f %.9f\n", time.Since(wall).Seconds(), cpu()-used)
}

// run does what the command line asks for. exchange gets a token. The mode get-warm is warm with
// the first of requests, which calls the API with a kept token, in place of exchange.
func run(exchange func() (string, error), more map[string]mode,
	requests ...func() (string, error)) {
	asked := os.Args[1]
	if strings.HasPrefix(asked, "get-") {
		asked, exchange = strings.TrimPrefix(asked, "get-"), requests[0]
	}
	get := func() string {
		token, err := exchange()
		must(err)
		return token
	}
	known := map[string]mode{
		"start": func([]int) {},
		"once":  func([]int) { fmt.Println(get()) },
		"warm": func(n []int) {
			get()
			timed(func() {
				for i := 0; i < n[0]; i++ {
					get()
				}
			})
		},
		"memory": func(n []int) {
			early := 0
			for i := 1; i <= n[0]; i++ {
				get()
				if i == n[1] {
					early = kib("VmHWM")
				}
			}
			fmt.Println(early, kib("VmHWM"))
		},
	}
	for name, work := range more {
		known[name] = work
	}
	numbers := []int{}
	for _, word := range os.Args[2:] {
		number, err := strconv.Atoi(word)
		must(err)
		numbers = append(numbers, number)
	}
	known[asked](numbers)
}
