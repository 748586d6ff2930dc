use super::*;

fn read_of<const N: usize>(variables: [(&str, &str); N]) -> Result<(Option<Traces>, Vec<String>), String> {
    read(&variables).map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn traces<const N: usize>(variables: [(&str, &str); N]) -> Traces {
    read_of(variables).unwrap().0.expect("traces are on")
}

const ON: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

#[test]
fn nothing_is_traced_unless_an_endpoint_asks_for_it() {
    assert_eq!(read_of([]).unwrap(), (None, vec![]));
    assert_eq!(read_of([("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]).unwrap().0, None);
    // Meant for somebody else: nobody asks for traces here.
    assert_eq!(read_of([("OTEL_TRACES_SAMPLER", "jaeger_remote"), ("OTEL_BSP_SCHEDULE_DELAY", "x")]).unwrap().0, None);
    assert_eq!(read_of([ON, ("OTEL_SDK_DISABLED", "TRUE")]).unwrap().0, None);
    assert_eq!(read_of([ON, ("OTEL_TRACES_EXPORTER", "none")]).unwrap().0, None);
    assert!(read_of([ON, ("OTEL_SDK_DISABLED", "false"), ("OTEL_TRACES_EXPORTER", "otlp")]).unwrap().0.is_some());
}

#[test]
fn an_endpoint_is_enough() {
    let of_ours = [("service.name", "429chain"), ("service.version", env!("CARGO_PKG_VERSION"))];
    let expected = Traces {
        endpoint: "http://collector:4318/v1/traces".to_owned(),
        headers: vec![],
        encoding: Encoding::Protobuf,
        timeout: Duration::from_secs(10),
        resource: of_ours.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        sampler: Sampler { heeds_parent: true, share: Sampler::ALL },
        propagates: true,
        queue: 2_048,
        batch: 512,
        delay: Duration::from_secs(5),
        patience: Duration::from_secs(30),
    };
    assert_eq!(traces([ON]), expected);
}

#[test]
fn the_variable_for_traces_wins_and_its_address_is_taken_as_it_is() {
    let found = traces([
        ON,
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://x.example/otlp?a=b"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "never"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "nonsense"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Authorization=Bearer%20a%3Db, x-team = blue,"),
    ]);
    assert_eq!((found.endpoint.as_str(), found.encoding), ("https://x.example/otlp?a=b", Encoding::Json));
    assert_eq!(found.timeout, Duration::from_millis(250));
    let headers: Vec<_> = found.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("Authorization", "Bearer a=b"), ("x-team", "blue")]);
    assert!(!format!("{found:?}").contains("Bearer"));
    assert_eq!(traces([("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/base/")]).endpoint, "http://h/base/v1/traces");
}

#[test]
fn the_resource_is_told_by_two_variables() {
    let found = traces([
        ON,
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,service.version=9,deployment.environment=x%2Cy"),
        ("OTEL_SERVICE_NAME", "b"),
    ]);
    let resource: Vec<_> = found.resource.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(resource, [("service.version", "9"), ("deployment.environment", "x,y"), ("service.name", "b")]);
}

#[test]
fn samplers_are_those_of_the_specification() {
    let half = Sampler::ALL / 2;
    for (name, argument, heeds_parent, share) in [
        ("always_on", "0.5", false, Sampler::ALL),
        ("always_off", "", false, 0),
        ("traceidratio", "0.5", false, half),
        ("traceidratio", "", false, Sampler::ALL),
        ("parentbased_always_on", "x", true, Sampler::ALL),
        ("parentbased_always_off", "", true, 0),
        ("parentbased_traceidratio", "0.5", true, half),
        ("parentbased_traceidratio", "1", true, Sampler::ALL),
    ] {
        let found = traces([ON, ("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)]);
        assert_eq!(found.sampler, Sampler { heeds_parent, share }, "{name} {argument}");
    }
}

#[test]
fn batches_are_no_larger_than_the_queue() {
    let found = traces([ON, ("OTEL_BSP_MAX_QUEUE_SIZE", "100"), ("OTEL_BSP_SCHEDULE_DELAY", "10")]);
    assert_eq!((found.queue, found.batch, found.delay), (100, 100, Duration::from_millis(10)));
}

#[test]
fn propagation_can_be_switched_off() {
    for (value, propagates) in
        [("tracecontext,baggage", true), ("none", false), ("baggage", false), ("b3,tracecontext", true)]
    {
        assert_eq!(traces([ON, ("OTEL_PROPAGATORS", value)]).propagates, propagates, "{value}");
    }
}

#[test]
fn every_wrong_value_is_told_by_the_name_of_its_variable_and_no_secret_is_shown() {
    for (name, value, said) in [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc is not supported\n    use http/protobuf or http/json",
        ),
        ("OTEL_SDK_DISABLED", "yes", "OTEL_SDK_DISABLED=yes is not supported\n    use false or true"),
        ("OTEL_TRACES_EXPORTER", "console", "OTEL_TRACES_EXPORTER=console is not supported\n    use otlp or none"),
        ("OTEL_TRACES_SAMPLER", "xray", "OTEL_TRACES_SAMPLER=xray is not supported"),
        ("OTEL_PROPAGATORS", "b3", "OTEL_PROPAGATORS=b3 is not supported\n    use tracecontext or none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "OTEL_EXPORTER_OTLP_TIMEOUT=0 is wrong\n    it is a whole number from 1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1", "OTEL_BSP_MAX_QUEUE_SIZE=-1 is wrong"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1.5", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1.5 is wrong"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "99999999999999999999", "OTEL_BSP_EXPORT_TIMEOUT"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a", "OTEL_RESOURCE_ATTRIBUTES is wrong"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%zz", "OTEL_RESOURCE_ATTRIBUTES is wrong"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret", "OTEL_EXPORTER_OTLP_HEADERS cannot be sent"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x y=secret", "OTEL_EXPORTER_OTLP_HEADERS cannot be sent"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x=secret%0a", "OTEL_EXPORTER_OTLP_HEADERS cannot be sent"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is no address"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is no address"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://u:secret@h", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is no address"),
    ] {
        let message = read_of([ON, (name, value)]).unwrap_err();
        assert!(message.starts_with(said), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
    let all = read_of([ON, ("OTEL_SDK_DISABLED", "1"), ("OTEL_BSP_SCHEDULE_DELAY", "x")]).unwrap_err();
    assert_eq!(all.matches("OTEL_").count(), 2, "{all}");
    let ratio = read_of([ON, ("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "2")]).unwrap_err();
    assert!(ratio.starts_with("OTEL_TRACES_SAMPLER_ARG=2 is wrong"), "{ratio}");
    let query = read_of([("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/?key=secret")]).unwrap_err();
    assert!(query.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT is no address") && !query.contains("secret"), "{query}");
}

#[test]
fn what_has_no_effect_is_said() {
    let variables =
        [ON, ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"), ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "ca.pem")];
    let notices = read_of(variables).unwrap().1;
    assert_eq!(
        notices,
        [
            "OTEL_EXPORTER_OTLP_COMPRESSION has no effect: spans are sent as they are",
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE has no effect: SSL_CERT_FILE names further root certificates",
        ]
    );
    assert_eq!(read_of([ON, ("OTEL_EXPORTER_OTLP_COMPRESSION", "none")]).unwrap().1, [""; 0]);
}
