# Countersign: the gateway and its command line. Build: docker build -t countersign .
FROM debian:trixie-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      gcc g++ make pkg-config libc6-dev libev-dev libjansson-dev libcurl4-openssl-dev libsqlite3-dev libssl-dev libyaml-dev \
      libsodium-dev libwebsockets-dev libre2-dev tzdata
WORKDIR /src
COPY . .
RUN make -j2 BUILD=/build all && strip /build/countersignd /build/countersign

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
      libev4t64 libjansson4 libcurl4t64 libsqlite3-0 libssl3t64 libyaml-0-2 libsodium23 libwebsockets19t64 libwebsockets-evlib-ev \
      libre2-11 libstdc++6 \
      ca-certificates \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /usr/share/doc/* /usr/share/man/* \
    && useradd --no-log-init --uid 10001 --home-dir /var/lib/countersign --shell /usr/sbin/nologin countersign \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/countersign /var/lib/countersign-mark \
    && install -d /etc/countersign/policy
COPY --from=build /build/countersignd /build/countersign /usr/bin/
COPY packaging/container.yaml /etc/countersign/countersign.yaml
COPY policy/examples/first-steps/policy.yaml /etc/countersign/policy/policy.yaml
USER 10001
ENV COUNTERSIGN_SOCKET=/var/lib/countersign/admin.sock
EXPOSE 8080
VOLUME ["/var/lib/countersign", "/var/lib/countersign-mark"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["countersign", "ready"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["countersignd", "--config", "/etc/countersign/countersign.yaml"]
