// A gRPC client in Go, whose xDS client is grpc-go's: it calls xds:///service once for each line that it reads, and writes who answered.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/xds"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	conn, err := grpc.NewClient("xds:///service", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer conn.Close()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(ask(conn))
	}
}

func ask(conn *grpc.ClientConn) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var name wrapperspb.StringValue
	if err := conn.Invoke(ctx, "/sekisho.test.Who/Ask", &emptypb.Empty{}, &name); err != nil {
		return "failed: " + err.Error()
	}
	return name.Value
}
