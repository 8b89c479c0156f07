import FlyingFox
import FlyingSocks
import Foundation
import Interface
import Synchronization

/// Serves the demo on 127.0.0.1, to pages of this machine and to nobody else: a request whose Host or Origin is another's is
/// refused.
public struct DemoServer: Sendable {
    /// Where it is looked for first if no port is asked for.
    public static let firstPort: UInt16 = 8765
    /// How many ports are tried then.
    private static let tries: UInt16 = 50

    private let server: HTTPServer
    private let running: Task<Void, any Error>
    /// That it listens on.
    public let port: UInt16

    public var address: String { "http://127.0.0.1:\(port)/" }

    /// Begins to listen.
    /// - Parameters:
    ///   - agents: that can play; at least one.
    ///   - port: nil: the first that is free.
    /// - Throws: one line if the port is in use or none is free.
    public init(_ agents: [DemoAgent], port wanted: UInt16? = nil) async throws {
        let hub = DemoHub(agents)
        let ports = wanted.map { $0...$0 } ?? DemoServer.firstPort...(DemoServer.firstPort + DemoServer.tries - 1)
        for port in ports {
            if let (server, running) = try await DemoServer.listen(port, hub) {
                (self.server, self.running, self.port) = (server, running, port)
                return
            }
            if wanted != nil {
                throw UserError(
                    "port \(port) is in use; choose another with --port, or leave it out to take a free one")
            }
        }
        throw UserError(
            "ports \(ports.lowerBound) to \(ports.upperBound) are in use; choose another with --port")
    }

    /// Nil if another program has the port.
    private static func listen(_ port: UInt16, _ hub: DemoHub) async throws -> (HTTPServer, Task<Void, any Error>)? {
        let server = HTTPServer(
            address: try sockaddr_in.inet(ip4: "127.0.0.1", port: port), timeout: 60, logger: .disabled,
            handler: DemoHandler(hub: hub, port: port))
        let failure = Mutex<(any Error)?>(nil)
        let shared = Failure(failure: failure)
        let running = Task {
            do { try await server.run() } catch {
                shared.failure.withLock { $0 = error }
                throw error
            }
        }
        while await !server.isListening {
            if let error = shared.failure.withLock({ $0 }) {
                guard case SocketError.failed(_, let code, let message) = error else { throw error }
                if code == EADDRINUSE { return nil }
                throw UserError("port \(port) cannot be listened on (\(message)); choose another with --port")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        return (server, running)
    }

    private final class Failure: Sendable {
        let failure: Mutex<(any Error)?>
        init(failure: consuming Mutex<(any Error)?>) { self.failure = failure }
    }

    /// Stops listening and lets go of all connections.
    public func stop() async {
        await server.stop(timeout: 1)
        running.cancel()
        _ = try? await running.value
    }
}

/// Answers the requests of a page.
struct DemoHandler: HTTPHandler {
    let hub: DemoHub
    let port: UInt16

    /// Most bytes of a request's body.
    private static let mostBytes = 1 << 16

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        var response = await answer(request)
        // Nothing of another origin may be loaded, and no other page may show or read this one.
        for (name, value) in [
            "Content-Security-Policy":
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        ] { response.headers[HTTPHeader(name)] = value }
        return response
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        guard isOwn(request) else {
            return failure(.forbidden, "this page is served to 127.0.0.1:\(port) and localhost:\(port) only")
        }
        switch (request.method, request.path) {
        case (.GET, "/"): return text(DemoPage.html, "text/html; charset=utf-8")
        case (.GET, "/style.css"): return text(DemoPage.style, "text/css; charset=utf-8")
        case (.GET, "/script.js"): return text(DemoScript.text, "text/javascript; charset=utf-8")
        case (.GET, "/favicon.ico"): return HTTPResponse(statusCode: .noContent)
        case (.GET, "/api/menu"): return await reply { try await hub.menu() }
        case (.POST, "/api/matches"):
            return await withBody(request) { (wanted: Match.Request) in try await hub.begin(wanted) }
        case (.POST, _) where request.path.hasPrefix("/api/matches/"):
            guard let id = Int(request.path.dropFirst("/api/matches/".count)) else { break }
            return await withBody(request) { (move: Match.Move) in try await hub.play(id, move) }
        default: break
        }
        return failure(.notFound, "there is nothing at this address")
    }

    /// Whether it comes from a page of this server, or from no page at all. A name that somebody else's server resolves to
    /// 127.0.0.1 is another host.
    private func isOwn(_ request: HTTPRequest) -> Bool {
        let hosts = ["127.0.0.1:\(port)", "localhost:\(port)"]
        guard let host = request.headers[.host], hosts.contains(host.lowercased()) else { return false }
        guard let origin = request.headers[HTTPHeader("Origin")] else { return true }
        return hosts.map { "http://" + $0 }.contains(origin.lowercased())
    }

    private func withBody<Body: Decodable>(
        _ request: HTTPRequest, _ work: (Body) async throws -> some Encodable
    ) async -> HTTPResponse {
        guard request.headers[.contentType]?.lowercased().hasPrefix("application/json") == true else {
            return failure(.unsupportedMediaType, "a request must be JSON (Content-Type: application/json)")
        }
        guard let length = Int(request.headers[.contentLength] ?? ""), length <= DemoHandler.mostBytes else {
            return failure(
                .payloadTooLarge, "a request must state its length, at most \(DemoHandler.mostBytes) bytes")
        }
        guard let data = try? await request.bodyData, let body = try? JSONDecoder().decode(Body.self, from: data) else {
            return failure(.badRequest, "the request is not the JSON that is wanted here")
        }
        return await reply { try await work(body) }
    }

    private func reply(_ work: () async throws -> some Encodable) async -> HTTPResponse {
        do {
            let result = try await work()
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let data = try encoder.encode(result)
            return HTTPResponse(statusCode: .ok, headers: [.contentType: "application/json"], body: data)
        } catch let error as UserError {
            return failure(.badRequest, error.description)
        } catch is DemoHub.Gone {
            return failure(.notFound, "this trial is gone: begin a new one")
        } catch {
            return failure(.internalServerError, "the answer could not be made")
        }
    }

    private func failure(_ code: HTTPStatusCode, _ message: String) -> HTTPResponse {
        let data = (try? JSONEncoder().encode(["error": message])) ?? Data()
        return HTTPResponse(statusCode: code, headers: [.contentType: "application/json"], body: data)
    }

    private func text(_ content: String, _ type: String) -> HTTPResponse {
        HTTPResponse(statusCode: .ok, headers: [.contentType: type], body: Data(content.utf8))
    }
}
