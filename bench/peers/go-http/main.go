// Go's net/http and encoding/json.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	client := trusting()
	url := os.Getenv("COREBANK_BASE_URL") + "/api/auth/v1/authenticate"
	run(func() (string, error) {
		body, err := json.Marshal(map[string]string{
			"clientId":     os.Getenv("COREBANK_CLIENT_ID"),
			"clientSecret": os.Getenv("COREBANK_CLIENT_SECRET"),
		})
		if err != nil {
			return "", err
		}
		answer, err := client.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err == nil && answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("status %d", answer.StatusCode)
		}
		reply := struct {
			AccessToken string `json:"accessToken"`
		}{}
		if err == nil {
			err = json.Unmarshal(text, &reply)
		}
		return reply.AccessToken, err
	}, nil)
}
