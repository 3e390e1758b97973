// A program in the shape of Knative's broker: ingress -> dispatcher -> one filter per trigger -> subscriber, each hop an
// HTTP request, each decoding the event's attributes into a map and writing them out again. In memory, without
// CloudEvents SDK, telemetry or durability: a lower bound of that shape, not a measurement of Knative.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

type event struct {
	attributes map[string]string
	mediaType  string
	body       []byte
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConns: 4096, MaxIdleConnsPerHost: 1024}}

func decode(r *http.Request) (event, error) {
	e := event{attributes: make(map[string]string, 8), mediaType: r.Header.Get("Content-Type")}
	for name, values := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "ce-") && len(values) > 0 {
			e.attributes[lower[3:]] = values[0]
		}
	}
	for _, required := range []string{"id", "source", "type", "specversion"} {
		if e.attributes[required] == "" {
			return e, fmt.Errorf("missing attribute %s", required)
		}
	}
	body, err := io.ReadAll(r.Body)
	e.body = body
	return e, err
}

func send(url string, e event) int {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(e.body))
	if err != nil {
		return http.StatusInternalServerError
	}
	for name, value := range e.attributes {
		request.Header.Set("Ce-"+name, value)
	}
	request.Header.Set("Content-Type", e.mediaType)
	response, err := client.Do(request)
	if err != nil {
		return http.StatusBadGateway
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func serve(handle func(w http.ResponseWriter, r *http.Request)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, http.HandlerFunc(handle))
	return "http://" + listener.Addr().String()
}

// Usage: three-hop SUBSCRIBER_URL TRIGGERS; the first trigger matches, the others do not.
func main() {
	subscriber := os.Args[1]
	triggers, _ := strconv.Atoi(os.Args[2])
	filter := serve(func(w http.ResponseWriter, r *http.Request) {
		e, err := decode(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if r.URL.Path != "/0" && e.attributes["type"] != "no.such.type"+r.URL.Path {
			w.WriteHeader(http.StatusOK)
			return
		}
		w.WriteHeader(send(subscriber, e))
	})
	dispatcher := serve(func(w http.ResponseWriter, r *http.Request) {
		e, err := decode(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var all sync.WaitGroup
		for trigger := 0; trigger < triggers; trigger++ {
			all.Add(1)
			go func(trigger int) {
				defer all.Done()
				send(fmt.Sprintf("%s/%d", filter, trigger), e)
			}(trigger)
		}
		all.Wait()
		w.WriteHeader(http.StatusAccepted)
	})
	ingress := serve(func(w http.ResponseWriter, r *http.Request) {
		e, err := decode(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(send(dispatcher, e))
	})
	fmt.Printf("ready %s\n", ingress)
	io.Copy(io.Discard, os.Stdin)
}
