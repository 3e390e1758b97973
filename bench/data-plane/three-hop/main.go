// A program in the shape of Knative's broker: ingress -> channel dispatcher -> one filter call per trigger -> subscriber.
// Each hop is an HTTP request, and each does what the hop of knative/eventing does with an event, by the same library
// and version (github.com/cloudevents/sdk-go/v2 of its go.mod):
//
//	ingress     copies the body, reads the event, validates it, adds arrival time and hop count
//	dispatcher  copies the body, reads the event, validates it, and asks every trigger's filter at once
//	filter      reads the event, takes the hop count out, applies the filter, and calls the subscriber
//
// and all of them send by cloning the event, writing it as a request, and reading the whole answer. Sources: the
// ServeHTTP functions in pkg/broker/ingress, pkg/channel (event receiver and fanout) and pkg/broker/filter, and SendEvent
// in pkg/kncloudevents.
//
// It is a lower bound of that shape, not a measurement of Knative: one process instead of three, one collector, loopback
// for a network, and no OpenTelemetry (handler and transport wrappers, spans, histograms), no listers, no retries.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/cloudevents/sdk-go/v2/types"
)

const (
	arrivalTime = "knativearrivaltime"
	hops        = "knativebrokerttl"
	hopsMax     = 255
	namespace   = "default"
)

var client = &http.Client{Transport: &http.Transport{MaxIdleConns: 4096, MaxIdleConnsPerHost: 1024}}

// copyBody leaves the request readable and a second body beside it, as the check of a sender's rights needs.
func copyBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}

func read(r *http.Request) (*event.Event, error) {
	message := cehttp.NewMessageFromHttpRequest(r)
	defer message.Finish(nil)
	e, err := binding.ToEvent(r.Context(), message)
	if err != nil {
		return nil, err
	}
	return e, e.Validate()
}

// passedOn are the headers that travel with an event from hop to hop.
func passedOn(headers http.Header) http.Header {
	passed := http.Header{}
	for name, values := range headers {
		lower := strings.ToLower(name)
		if lower == "traceparent" || lower == "tracestate" || lower == "x-request-id" || strings.HasPrefix(lower, "knative-") {
			passed[name] = values
		}
	}
	return passed
}

func send(ctx context.Context, url string, e event.Event, headers http.Header) int {
	clone := e.Clone()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return http.StatusInternalServerError
	}
	if err := cehttp.WriteRequest(ctx, binding.ToMessage(&clone), request); err != nil {
		return http.StatusInternalServerError
	}
	headers = headers.Clone()
	headers.Set("Prefer", "reply")
	for name, values := range headers {
		request.Header[name] = values
	}
	response, err := client.Do(request)
	if err != nil {
		return http.StatusBadGateway
	}
	defer response.Body.Close()
	answer := new(bytes.Buffer)
	if _, err := answer.ReadFrom(response.Body); err != nil {
		return http.StatusBadGateway
	}
	reply := cehttp.NewMessage(response.Header, io.NopCloser(answer))
	defer reply.Finish(nil)
	if reply.ReadEncoding() != binding.EncodingUnknown {
		return http.StatusInternalServerError // The bench's subscriber replies nothing.
	}
	return response.StatusCode
}

func ingress(next string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := copyBody(r); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		e, err := read(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		e.SetExtension(arrivalTime, types.Timestamp{Time: time.Now()})
		e.SetExtension(hops, int32(hopsMax))
		w.WriteHeader(send(r.Context(), next, *e, passedOn(r.Header)))
	}
}

func dispatcher(filter string, triggers int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := copyBody(r); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		e, err := read(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		headers := passedOn(r.Header)
		var all sync.WaitGroup
		for trigger := range triggers {
			all.Add(1)
			go func() {
				defer all.Done()
				own := headers.Clone()
				own.Set("Kn-Namespace", namespace)
				send(r.Context(), fmt.Sprintf("%s/%d", filter, trigger), *e, own)
			}()
		}
		all.Wait()
		w.WriteHeader(http.StatusAccepted)
	}
}

// The first trigger's filter passes, the others' do not.
func filter(subscriber string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e, err := read(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if _, err := types.ToInteger(e.Extensions()[hops]); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		e.SetExtension(hops, nil)
		if r.URL.Path != "/0" && e.Type() != "no.such.type"+r.URL.Path {
			return
		}
		headers := passedOn(r.Header)
		headers.Set("Kn-Namespace", namespace)
		w.WriteHeader(send(r.Context(), subscriber, *e, headers))
	}
}

func serve(handler http.HandlerFunc) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, handler)
	return "http://" + listener.Addr().String()
}

// Usage: three-hop SUBSCRIBER_URL TRIGGERS
func main() {
	subscriber := os.Args[1]
	triggers, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	address := serve(ingress(serve(dispatcher(serve(filter(subscriber)), triggers))))
	fmt.Printf("ready %s\n", address)
	io.Copy(io.Discard, os.Stdin)
}
