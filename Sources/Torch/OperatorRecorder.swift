import Foundation

/// What one operator was asked to do while an `OperatorRecorder` listened.
public struct RecordedOperator {
    public enum Attribute: Equatable, Sendable {
        case int(Int)
        case ints([Int])
        case number(Double)
        case text(String)
    }

    /// The operator's name in Swift, such as `convolution` or `+`.
    public let name: String
    public let inputs: [Tensor]
    /// Everything that decides its result besides `inputs`, where the operator tells it.
    public let attributes: [String: Attribute]
    /// Nil where it gives no tensor: values were read, or changed in place.
    public let output: Tensor?
}

/// Listens to the operators of one thread: what a network did in a forward pass, from which an exporter
/// makes a graph without a second description of the network.
///
///     let recorder = OperatorRecorder()
///     let logits = recorder.record { network(x, mode: .eval) }
///     for step in recorder.operators { print(step.name, step.attributes) }
///
/// An operator that has more to tell than its inputs does so where it is called (`attributes:`). One that
/// does not is recorded by its name, so that an exporter can refuse it. What is recorded is kept alive.
public final class OperatorRecorder {
    public private(set) var operators: [RecordedOperator] = []

    public init() {}

    /// Records what the calling thread does in `body`. `body` must not suspend.
    public func record<Result>(_ body: () throws -> Result) rethrows -> Result {
        let outer = OperatorRecorder.current
        OperatorRecorder.current = self
        defer { OperatorRecorder.current = outer }
        return try body()
    }

    /// Runs `body`, whose operators count as one under this name, for a layer that does by several what
    /// other engines have one operator for.
    public static func asOne(
        _ name: String, _ inputs: [Tensor], _ attributes: [String: RecordedOperator.Attribute],
        _ body: () -> Tensor
    ) -> Tensor {
        guard let recorder = current else { return body() }
        current = nil
        let output = body()
        current = recorder
        recorder.note(name, inputs, attributes, output)
        return output
    }

    func note(
        _ name: String, _ inputs: [Tensor], _ attributes: [String: RecordedOperator.Attribute],
        _ output: Tensor?
    ) {
        operators.append(
            RecordedOperator(name: name, inputs: inputs, attributes: attributes, output: output))
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    // Unretained: `record` keeps the recorder alive for as long as it is current.
    private(set) static var current: OperatorRecorder? {
        get {
            pthread_getspecific(key).map {
                Unmanaged<OperatorRecorder>.fromOpaque($0).takeUnretainedValue()
            }
        }
        set { pthread_setspecific(key, newValue.map { Unmanaged.passUnretained($0).toOpaque() }) }
    }
}
