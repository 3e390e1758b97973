module knode.dev/bench/paced-load

go 1.23.0
