# Styles and templates are generated and committed: Go is all that the build needs.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/roomwatch . \
	&& mkdir /out/data

# Nothing but the program and the certificates that it needs to ask plugNmeet over TLS.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/roomwatch /roomwatch
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data
VOLUME /data
ENV ROOMWATCH_STORE=file:/data/roomwatch.db
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=4s --start-period=10s CMD ["/roomwatch", "healthcheck"]
ENTRYPOINT ["/roomwatch"]
