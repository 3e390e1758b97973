// The clients at a given rate, a process of its own: as load.ts, but with clocks finer than a millisecond. What is due in
// one millisecond does not leave at once, as it does with Node's timers, and so a latency tells of the server.
// Prints its measurements in JSON. Usage: paced-load event|get URL COUNT RATE_PER_SECOND [HOST]
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	connections = 64
	// Of the body of an event, in bytes.
	bodyBytes = 1024
	// The first answers tell how fast the server warms up.
	warmUpShare = 0.1
)

// As Loaded of measure-load.ts.
type loaded struct {
	Sent          int            `json:"sent"`
	Seconds       float64        `json:"seconds"`
	P50Ms         float64        `json:"p50Ms"`
	P95Ms         float64        `json:"p95Ms"`
	P99Ms         float64        `json:"p99Ms"`
	Statuses      map[string]int `json:"statuses"`
	OwnDelayP99Ms float64        `json:"ownDelayP99Ms"`
	CPUUs         float64        `json:"cpuUs"`
}

// What all clients share.
type load struct {
	total         int64
	ratePerSecond float64
	startedAt     time.Time
	sent          atomic.Int64
	mutex         sync.Mutex
	latenciesMs   []float64
	statuses      map[string]int
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 5 {
		log.Fatal("usage: paced-load event|get URL COUNT RATE_PER_SECOND [HOST]")
	}
	target, err := url.Parse(os.Args[2])
	must(err)
	total, err := strconv.ParseInt(os.Args[3], 10, 64)
	must(err)
	ratePerSecond, err := strconv.ParseFloat(os.Args[4], 64)
	must(err)
	host := target.Host
	if len(os.Args) > 5 {
		host = os.Args[5]
	}
	shared := &load{total: total, ratePerSecond: ratePerSecond, statuses: map[string]int{}}
	sockets := make([]net.Conn, connections)
	for at := range sockets {
		sockets[at], err = net.Dial("tcp", target.Host)
		must(err)
	}
	// The clock starts when all are connected: what connecting takes is not what is measured.
	shared.startedAt = time.Now()
	delays := watchOwnDelay()
	var clients sync.WaitGroup
	for _, socket := range sockets {
		clients.Add(1)
		go func(socket net.Conn) {
			defer clients.Done()
			shared.run(socket, requestOf(os.Args[1], target.Path, host))
		}(socket)
	}
	clients.Wait()
	shared.report(delays())
}

// A request, in which the ten digits at `id` are each event's own.
type request struct {
	bytes []byte
	id    int
}

func requestOf(what, path, host string) request {
	if what == "get" {
		return request{bytes: []byte("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")}
	}
	head := strings.Join([]string{
		"POST " + path + " HTTP/1.1",
		"Host: " + host,
		"Content-Type: application/json",
		fmt.Sprintf("Content-Length: %d", bodyBytes),
		"ce-specversion: 1.0",
		"ce-source: /bench/load",
		"ce-type: dev.knode.bench",
		"ce-time: 2026-01-01T00:00:00Z",
		"ce-subject: bench",
		"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"ce-id: ",
	}, "\r\n")
	body := `{"filler":"` + strings.Repeat("x", bodyBytes-len(`{"filler":""}`)) + `"}`
	return request{bytes: []byte(head + "0000000000\r\n\r\n" + body), id: len(head)}
}

// Posts what falls to this connection, one request after the other.
func (l *load) run(socket net.Conn, request request) {
	defer socket.Close()
	reader := bufio.NewReaderSize(socket, 4096)
	latenciesMs := []float64{}
	statuses := map[string]int{}
	for {
		n := l.sent.Add(1) - 1
		if n >= l.total {
			break
		}
		if request.id > 0 {
			copy(request.bytes[request.id:], fmt.Sprintf("%010d", n))
		}
		from := l.waitFor(n)
		_, err := socket.Write(request.bytes)
		must(err)
		statuses[readAnswer(reader)]++
		latenciesMs = append(latenciesMs, milliseconds(time.Since(from)))
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.latenciesMs = append(l.latenciesMs, latenciesMs[int(warmUpShare*float64(len(latenciesMs))):]...)
	for status, count := range statuses {
		l.statuses[status] += count
	}
}

// Returns when request n is due. Where the last answer came too late, its latency counts from when it was due, so that a
// stalled server cannot hide its queue; a timer that fires late is no fault of the server.
func (l *load) waitFor(n int64) time.Time {
	if l.ratePerSecond == 0 {
		return time.Now()
	}
	due := l.startedAt.Add(time.Duration(float64(n) / l.ratePerSecond * float64(time.Second)))
	wait := time.Until(due)
	if wait <= 0 {
		return due
	}
	time.Sleep(wait)
	return time.Now()
}

// Reads a whole answer with a Content-Length. Returns its status.
func readAnswer(reader *bufio.Reader) string {
	line := readLine(reader)
	status := strings.Clone(line[9:12])
	length := 0
	for {
		line = readLine(reader)
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "content-length") {
			parsed, err := strconv.Atoi(strings.TrimSpace(value))
			must(err)
			length = parsed
		}
	}
	_, err := io.CopyN(io.Discard, reader, int64(length))
	must(err)
	return status
}

func readLine(reader *bufio.Reader) string {
	line, err := reader.ReadString('\n')
	must(err)
	return strings.TrimRight(line, "\r\n")
}

// Watches how late this program itself is. The function it returns ends that and tells.
func watchOwnDelay() func() []float64 {
	const every = time.Millisecond
	stop := make(chan struct{})
	result := make(chan []float64)
	go func() {
		lateMs := []float64{}
		for {
			select {
			case <-stop:
				result <- lateMs
				return
			default:
			}
			before := time.Now()
			time.Sleep(every)
			lateMs = append(lateMs, milliseconds(time.Since(before)-every))
		}
	}()
	return func() []float64 {
		close(stop)
		return <-result
	}
}

func (l *load) report(ownDelaysMs []float64) {
	seconds := time.Since(l.startedAt).Seconds()
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	must(json.NewEncoder(os.Stdout).Encode(loaded{
		Sent:          int(l.total),
		Seconds:       seconds,
		P50Ms:         quantile(l.latenciesMs, 0.5),
		P95Ms:         quantile(l.latenciesMs, 0.95),
		P99Ms:         quantile(l.latenciesMs, 0.99),
		Statuses:      l.statuses,
		OwnDelayP99Ms: quantile(ownDelaysMs, 0.99),
		CPUUs:         microseconds(usage.Utime) + microseconds(usage.Stime),
	}))
}

func quantile(numbers []float64, share float64) float64 {
	if len(numbers) == 0 {
		return 0
	}
	sort.Float64s(numbers)
	at := int(float64(len(numbers)) * share)
	if at >= len(numbers) {
		at = len(numbers) - 1
	}
	return numbers[at]
}

func milliseconds(duration time.Duration) float64 {
	return float64(duration) / float64(time.Millisecond)
}

func microseconds(time syscall.Timeval) float64 { return float64(time.Sec)*1e6 + float64(time.Usec) }

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
