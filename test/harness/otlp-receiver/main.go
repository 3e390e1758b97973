// Receives OTLP by gRPC and by HTTP with the official protocol's own code, and prints what it got: one line of JSON for
// each data point and each span. For tests. Standard output begins with the addresses.
package main

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	metricscollector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"
)

var (
	out     = json.NewEncoder(os.Stdout)
	outLock sync.Mutex
)

// origin says how a message came.
type origin struct {
	protocol string
	path     string
	token    string
	encoding string
}

func say(by origin, resource map[string]any, facts map[string]any) {
	facts["protocol"], facts["path"], facts["token"], facts["resource"] = by.protocol, by.path, by.token, resource
	facts["encoding"] = by.encoding
	outLock.Lock()
	defer outLock.Unlock()
	if err := out.Encode(facts); err != nil {
		log.Fatal(err)
	}
}

func valueOf(value *common.AnyValue) any {
	switch v := value.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_DoubleValue:
		return v.DoubleValue
	}
	return nil
}

func attributesOf(pairs []*common.KeyValue) map[string]any {
	attributes := map[string]any{}
	for _, pair := range pairs {
		attributes[pair.Key] = valueOf(pair.Value)
	}
	return attributes
}

func takeMetrics(by origin, request *metricscollector.ExportMetricsServiceRequest) {
	for _, group := range request.ResourceMetrics {
		resource := attributesOf(group.Resource.GetAttributes())
		for _, scoped := range group.ScopeMetrics {
			for _, metric := range scoped.Metrics {
				tell := func(kind string, attributes []*common.KeyValue, startNano, nano uint64, facts map[string]any) {
					facts["metric"], facts["kind"], facts["unit"] = metric.Name, kind, metric.Unit
					facts["scope"], facts["attributes"] = scoped.Scope.GetName(), attributesOf(attributes)
					facts["lasted"] = nano > startNano && startNano > 0
					say(by, resource, facts)
				}
				numbers := func(kind string, points []*metrics.NumberDataPoint, facts map[string]any) {
					for _, point := range points {
						each := map[string]any{"value": point.GetAsDouble() + float64(point.GetAsInt())}
						for key, value := range facts {
							each[key] = value
						}
						tell(kind, point.Attributes, point.StartTimeUnixNano, point.TimeUnixNano, each)
					}
				}
				switch data := metric.Data.(type) {
				case *metrics.Metric_Gauge:
					numbers("gauge", data.Gauge.DataPoints, nil)
				case *metrics.Metric_Sum:
					numbers("sum", data.Sum.DataPoints, map[string]any{
						"temporality": data.Sum.AggregationTemporality.String(), "monotonic": data.Sum.IsMonotonic,
					})
				case *metrics.Metric_Histogram:
					for _, point := range data.Histogram.DataPoints {
						tell("histogram", point.Attributes, point.StartTimeUnixNano, point.TimeUnixNano, map[string]any{
							"count": point.Count, "sum": point.GetSum(), "buckets": point.BucketCounts,
							"bounds": point.ExplicitBounds, "temporality": data.Histogram.AggregationTemporality.String(),
						})
					}
				}
			}
		}
	}
}

func takeSpans(by origin, request *tracecollector.ExportTraceServiceRequest) {
	for _, group := range request.ResourceSpans {
		resource := attributesOf(group.Resource.GetAttributes())
		for _, scoped := range group.ScopeSpans {
			for _, span := range scoped.Spans {
				say(by, resource, map[string]any{
					"span": span.Name, "kind": span.Kind.String(), "scope": scoped.Scope.GetName(),
					"traceId": hex.EncodeToString(span.TraceId), "spanId": hex.EncodeToString(span.SpanId),
					"parentSpanId": hex.EncodeToString(span.ParentSpanId), "traceState": span.TraceState,
					"startNano": span.StartTimeUnixNano, "tookNano": int64(span.EndTimeUnixNano) - int64(span.StartTimeUnixNano),
					"status": span.Status.GetCode().String(), "message": span.Status.GetMessage(),
					"attributes": attributesOf(span.Attributes),
				})
			}
		}
	}
}

type metricsService struct {
	metricscollector.UnimplementedMetricsServiceServer
}

func grpcOrigin(ctx context.Context) origin {
	by := origin{protocol: "grpc"}
	if given, ok := metadata.FromIncomingContext(ctx); ok {
		by.token = strings.Join(given.Get("x-token"), ",")
	}
	by.path, _ = grpc.Method(ctx)
	if encoding, ok := ctx.Value(encodingKey{}).(*string); ok {
		by.encoding = *encoding
	}
	return by
}

type encodingKey struct{}

// encodings keeps how a call was compressed, which gRPC tells nobody else.
type encodings struct{}

func (encodings) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, encodingKey{}, new(string))
}

func (encodings) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if head, ok := event.(*stats.InHeader); ok {
		*ctx.Value(encodingKey{}).(*string) = head.Compression
	}
}

func (encodings) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (encodings) HandleConn(context.Context, stats.ConnStats)                       {}

// bodyOf reads a message that may be compressed.
func bodyOf(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	reader, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

func (metricsService) Export(ctx context.Context, request *metricscollector.ExportMetricsServiceRequest) (*metricscollector.ExportMetricsServiceResponse, error) {
	takeMetrics(grpcOrigin(ctx), request)
	return &metricscollector.ExportMetricsServiceResponse{}, nil
}

type traceService struct {
	tracecollector.UnimplementedTraceServiceServer
}

func (traceService) Export(ctx context.Context, request *tracecollector.ExportTraceServiceRequest) (*tracecollector.ExportTraceServiceResponse, error) {
	takeSpans(grpcOrigin(ctx), request)
	return &tracecollector.ExportTraceServiceResponse{}, nil
}

// posted reads one message, refuses what is none, and answers with an empty response.
func posted[Request proto.Message](empty func() Request, response proto.Message, take func(origin, Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		request := empty()
		body, err := bodyOf(r)
		if err == nil && r.Header.Get("Content-Type") != "application/x-protobuf" {
			err = fmt.Errorf("content type %q", r.Header.Get("Content-Type"))
		}
		if err == nil {
			err = proto.Unmarshal(body, request)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		take(origin{
			protocol: "http/protobuf", path: r.URL.Path,
			token: r.Header.Get("X-Token"), encoding: r.Header.Get("Content-Encoding"),
		}, request)
		answer, _ := proto.Marshal(response)
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(answer)
	}
}

func emptyMetrics() *metricscollector.ExportMetricsServiceRequest {
	return &metricscollector.ExportMetricsServiceRequest{}
}

func emptyTraces() *tracecollector.ExportTraceServiceRequest {
	return &tracecollector.ExportTraceServiceRequest{}
}

func main() {
	grpcAddress := flag.String("grpc", "127.0.0.1:0", "where to listen for gRPC")
	httpAddress := flag.String("http", "127.0.0.1:0", "where to listen for HTTP")
	flag.Parse()

	byGrpc, err := net.Listen("tcp", *grpcAddress)
	if err != nil {
		log.Fatal(err)
	}
	byHTTP, err := net.Listen("tcp", *httpAddress)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.StatsHandler(encodings{}))
	metricscollector.RegisterMetricsServiceServer(server, metricsService{})
	tracecollector.RegisterTraceServiceServer(server, traceService{})
	go func() { log.Fatal(server.Serve(byGrpc)) }()

	mux := http.NewServeMux()
	onMetrics := posted(emptyMetrics, &metricscollector.ExportMetricsServiceResponse{}, takeMetrics)
	mux.HandleFunc("POST /v1/metrics", onMetrics)
	mux.HandleFunc("POST /elsewhere/metrics", onMetrics)
	mux.HandleFunc("POST /v1/traces", posted(emptyTraces, &tracecollector.ExportTraceServiceResponse{}, takeSpans))

	say(origin{}, nil, map[string]any{"grpc": byGrpc.Addr().String(), "http": byHTTP.Addr().String()})
	log.Fatal(http.Serve(byHTTP, mux))
}
