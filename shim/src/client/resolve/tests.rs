use super::*;

fn environment(url: Option<&str>, path: Option<&str>) -> Environment {
    Environment {
        url: url.map(str::to_owned),
        api_key: None,
        path: path.map(PathBuf::from),
    }
}

fn tried(options: &OpenOptions, environment: &Environment) -> Vec<String> {
    let steps = options.steps(environment);
    let (last, before) = steps.split_last().unwrap();
    assert!(
        !last.may_fail && before.iter().all(|step| step.may_fail),
        "{steps:?}"
    );
    steps.iter().map(|step| step.back_end.to_string()).collect()
}

#[test]
fn a_text_says_what_it_means() {
    for (text, back_end) in [
        (":memory:", BackEnd::Memory),
        ("http://host:6334", BackEnd::Server("http://host:6334".to_owned())),
        ("https://x.cloud", BackEnd::Server("https://x.cloud".to_owned())),
        ("my.vdb", BackEnd::Directory("my.vdb".into())),
        ("C:\\data", BackEnd::Directory("C:\\data".into())),
    ] {
        assert_eq!(BackEnd::parse(text), back_end);
        assert_eq!(back_end.to_string(), text);
    }
}

#[test]
fn what_is_named_comes_first_and_alone() {
    let full = environment(Some("http://a:1"), Some("dir"));
    assert_eq!(
        tried(&OpenOptions::new().target("http://b:2"), &full),
        ["http://b:2"]
    );
    assert_eq!(
        tried(&OpenOptions::new().target(":memory:").fall_back(true), &full),
        [":memory:"]
    );
    assert_eq!(tried(&OpenOptions::new(), &full), ["http://a:1"]);
}

#[test]
fn falling_back_goes_down_the_whole_list() {
    let full = environment(Some("http://a:1"), Some("dir"));
    let options = OpenOptions::new().target("http://b:2").fall_back(true);
    assert_eq!(tried(&options, &full), ["http://b:2", "http://a:1", LOCAL, "dir"]);
    assert_eq!(
        tried(&options.path("own"), &full),
        ["http://b:2", "http://a:1", LOCAL, "own"]
    );
}

#[test]
fn without_a_word_there_is_memory_in_the_end() {
    let nothing = environment(None, None);
    assert_eq!(tried(&OpenOptions::new(), &nothing), [LOCAL, ":memory:"]);
    assert_eq!(
        tried(&OpenOptions::new().look_for_server(false), &nothing),
        [":memory:"]
    );
}

#[test]
fn the_port_of_rest_is_one_before_that_of_grpc() {
    for (url, grpc) in [
        ("http://h:6333", "http://h:6334"),
        ("http://h", "http://h:6334"),
        ("https://h:443/", "https://h:443"),
        ("http://[::1]:6334", "http://[::1]:6334"),
    ] {
        assert_eq!(grpc_url(url).unwrap(), grpc, "{url}");
    }
    assert!(grpc_url("://").is_err());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_an_error_unless_falling_back_was_asked_for() {
    // A port that was free a moment ago: nobody listens there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let options = OpenOptions::new()
        .environment(environment(None, None))
        .look_for_server(false)
        .target(url);
    assert!(options.open().await.is_err());
    let client = options.fall_back(true).open().await.unwrap();
    assert_eq!(client.back_end(), &BackEnd::Memory);
}
