# Runs a PostgreSQL server for tests: $1 has its programs, $2 is its folder, $3 its port; what follows are settings.
# Each line that comes in says that the server was killed and is to be started again. It waits for the end of its input: that is the end of
# whoever started it, however that comes about. Then all of it goes.
bin=$1 folder=$2 port=$3
shift 3
trap '' INT TERM
"$bin/initdb" -D "$folder/data" -U tollgate --auth=trust --encoding=UTF8 --locale=C --no-sync > "$folder/log" 2>&1 || exit 1
# An issuer, and a certificate of it for localhost.
{
    cd "$folder" && echo 'subjectAltName=DNS:localhost' > names &&
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=issuer \
        -keyout issuer.key -out issuer.pem &&
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout own.key -out own.csr &&
    openssl x509 -req -in own.csr -CA issuer.pem -CAkey issuer.key -CAcreateserial -days 2 -extfile names -out own.pem
} >> "$folder/log" 2>&1 || exit 1
start() {
    "$bin/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$folder" \
        -c ssl=on -c ssl_cert_file="$folder/own.pem" -c ssl_key_file="$folder/own.key" -c max_connections=400 "$@" \
        >> "$folder/log" 2>&1 < /dev/null &
    server=$!
}
start "$@"
while read -r _; do
    wait "$server"
    start "$@"
done
kill -QUIT "$server"
wait "$server"
rm -rf "$folder"
