module knode.dev/bench/three-hop

go 1.19
