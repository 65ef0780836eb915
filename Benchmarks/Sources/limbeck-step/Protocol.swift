import Diagnostics
import Foundation
import Torch

/// One line of standard input. peers/step.py describes the protocol.
struct Request: Codable {
    var model: Model
    var precision: Precision
    var layout: Layout
    /// At least 1.
    var steps: Int
    /// Steps before the clock starts, at least 0; 3 if absent.
    var warmup: Int?
    /// Networks that learn side by side, 1 if absent.
    var peers: Int?
    /// Of the Rényi divergence through which they teach one another; independent if absent.
    var order: Double?
}

/// One line of standard output.
struct Answer: Codable {
    var model: Model
    var precision: Precision
    var layout: Layout
    var steps: Int
    var warmup: Int
    var batch: Int
    var threads: Int
    var engine: String
    var seconds: Double
    var imagesPerSecond: Double
    /// Of the last step; absent if not finite.
    var loss: Double?

    enum CodingKeys: String, CodingKey {
        case model, precision, layout, steps, warmup, batch, threads, engine, seconds, loss
        case imagesPerSecond = "images_per_second"
    }
}

/// A request that cannot be answered, in one sentence.
struct Refusal: Error { var error: String }

/// Answers requests; networks stay in memory between them.
final class Bench {
    private struct Key: Hashable {
        var model: Model
        var precision: Precision
        var layout: Layout
        var peers: Int
        var order: Double?
    }

    private var steps: [Key: Step] = [:]

    func measure(_ request: Request) throws -> Answer {
        let warmup = request.warmup ?? 3
        guard request.steps >= 1, warmup >= 0 else {
            throw Refusal(error: "steps is at least 1, warmup at least 0")
        }
        let key = Key(
            model: request.model, precision: request.precision, layout: request.layout,
            peers: request.peers ?? 1, order: request.order)
        guard key.layout == .nhwc else {
            throw Refusal(error: "the trainer's layout is nhwc")
        }
        guard (1...16).contains(key.peers), key.order.map({ $0 >= 0 }) ?? true else {
            throw Refusal(error: "peers is 1 to 16, order at least 0")
        }
        let step =
            try steps[key]
            ?? Step(
                key.model, precision: key.precision, peers: key.peers, order: key.order)
        steps[key] = step
        for _ in 0..<warmup { _ = try step.advance() }
        var loss = 0.0
        let duration = try ContinuousClock().measure {
            for _ in 0..<request.steps { loss = try step.advance() }
        }
        let seconds = duration / .seconds(1)
        return Answer(
            model: key.model, precision: key.precision, layout: key.layout, steps: request.steps,
            warmup: warmup, batch: Step.batchSize, threads: Engine.threads, engine: Engine.version,
            seconds: seconds,
            imagesPerSecond: Double(request.steps * Step.batchSize) / seconds,
            loss: loss.isFinite ? loss : nil)
    }

    /// Answers the lines of standard input until an empty one or the end.
    func serve() throws {
        while let line = readLine(), !line.allSatisfy(\.isWhitespace) {
            do {
                try reply(measure(JSON.read(Request.self, line.utf8)))
            } catch let error as DecodingError {
                try reply(["error": sentence(error)])
            } catch let refusal as Refusal {
                try reply(["error": refusal.error])
            } catch {
                try reply(["error": "\(error)"])
            }
        }
    }

    func reply(_ answer: some Encodable) throws {
        try FileHandle.standardOutput.write(contentsOf: JSON.line(answer))
    }

    private func sentence(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "the request lacks '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "not a request: \(context.debugDescription)"
                : "\(context.codingPath.map(\.stringValue).joined(separator: ".")): "
                    + context.debugDescription
        @unknown default: "not a request: \(error)"
        }
    }
}
