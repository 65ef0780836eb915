import CTorch
import Foundation

/// An operator refused its arguments, or the engine ran out of memory: which, with what, and why.
public struct EngineError: Error, CustomStringConvertible, Sendable {
    public let operation: String
    public let shapes: [[Int]]
    public let reason: String

    public var description: String {
        let arguments = shapes.map { "\($0)" }.joined(separator: ", ")
        return "\(operation)(\(arguments)): \(reason)"
    }
}

/// Process-wide facts and switches of LibTorch.
public enum Engine {
    /// LibTorch's version, such as `2.13.0`.
    public static var version: String { String(cString: ct_version()) }

    /// The vector instructions LibTorch uses here: `AVX2`, `AVX512`, …
    public static var capability: String { String(cString: ct_capability()) }

    /// Tensors and generators alive in this process. Tests compare it before and after: a
    /// difference is a leak.
    public static var liveHandles: Int { Int(ct_live_handles()) }

    /// Those that the calling thread made minus those that it freed: a count of leaks that other
    /// threads cannot disturb.
    public static var liveHandlesOfThread: Int { Int(ct_live_handles_of_thread()) }

    /// Threads inside one operator. Results are byte-identical only at an equal thread count.
    /// LibTorch keeps the number by thread: those that have not used the engine yet take over the last
    /// one set, others keep theirs. So set it once, before any other thread makes a tensor.
    public static var threads: Int {
        get { Int(ct_threads()) }
        set { ct_set_threads(Int32(max(1, newValue))) }
    }

    /// Keeps memory that tensors free for later tensors instead of handing it back to the system,
    /// which saves a page fault for every 4 KiB of activations in every step. Process-wide and not
    /// undone: for programs to call once at their start, not for libraries.
    public static func keepMemory() { ct_keep_memory() }

    /// Refuses operators without a deterministic kernel (they become errors).
    public static func setDeterministic(_ on: Bool) {
        Engine.check(ct_set_deterministic(on), "setDeterministic", [])
    }

    /// Runs `body`; the first engine error inside it is kept, what depends on the failed result is
    /// poisoned and costs nothing, and the error is thrown at the end, in place of any other that
    /// `body` throws after it. This is what lets arithmetic read like arithmetic. Outside any such
    /// scope an engine error traps.
    ///
    /// A scope belongs to its thread: `body` must not suspend or hand its tensors to other threads.
    public static func checked<Result>(_ body: () throws -> Result) throws -> Result {
        let outer = Scope.current
        let scope = Scope()
        Scope.current = scope
        defer { Scope.current = outer }
        do {
            let result = try body()
            if let error = scope.error { throw error }
            return result
        } catch {
            // A later error is most often a consequence of the first.
            throw scope.error ?? error
        }
    }

    /// Whether an error has happened in the innermost scope: lets long loops stop early.
    public static var failed: Bool { Scope.current?.error != nil }

    /// The engine's own errors, per thread.
    final class Scope {
        var error: EngineError?

        private static let key: pthread_key_t = {
            var key = pthread_key_t()
            pthread_key_create(&key, nil)
            return key
        }()

        // Unretained: `checked` keeps the scope alive for as long as it is current.
        static var current: Scope? {
            get {
                pthread_getspecific(key).map {
                    Unmanaged<Scope>.fromOpaque($0).takeUnretainedValue()
                }
            }
            set {
                pthread_setspecific(key, newValue.map { Unmanaged.passUnretained($0).toOpaque() })
            }
        }
    }

    /// Records or traps on a failed call. Returns whether it went well.
    @discardableResult
    static func check(
        _ status: ct_status, _ operation: @autoclosure () -> String,
        _ arguments: @autoclosure () -> [Tensor]
    ) -> Bool {
        if status == 0 { return true }
        fail(
            operation(), arguments().map { $0.isPoisoned ? [] : $0.shape },
            String(cString: ct_last_error()))
        return false
    }

    /// What an operator of ours gives for arguments that it refuses: the error is recorded, or traps, as
    /// for the engine's own.
    public static func refused(
        _ operation: String, _ arguments: Tensor..., reason: String
    ) -> Tensor {
        fail(operation, arguments.map(\.shape), reason)
        return .poisoned
    }

    static func fail(_ operation: String, _ shapes: [[Int]], _ reason: String) {
        let error = EngineError(operation: operation, shapes: shapes, reason: reason)
        guard let scope = Scope.current else { fatalError("engine: \(error)") }
        if scope.error == nil { scope.error = error }
    }
}

/// Where a tensor lives. CUDA and MPS compile everywhere and are untested here.
public enum Device: Equatable, Hashable, Sendable, CustomStringConvertible {
    case cpu
    case cuda(Int)
    case mps

    var code: (kind: Int32, index: Int32) {
        switch self {
        case .cpu: (Int32(CT_CPU), 0)
        case .cuda(let index): (Int32(CT_CUDA), Int32(index))
        case .mps: (Int32(CT_MPS), 0)
        }
    }

    public var isAvailable: Bool { ct_device_available(code.kind) }

    /// The fastest device that is there.
    public static var best: Device {
        Device.cuda(0).isAvailable ? .cuda(0) : Device.mps.isAvailable ? .mps : .cpu
    }

    /// The inverse of `description`; the CPU for anything else.
    public init(named name: String) {
        if name == "mps" {
            self = .mps
        } else if name.hasPrefix("cuda") {
            self = .cuda(Int(name.dropFirst(5)) ?? 0)
        } else {
            self = .cpu
        }
    }

    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .cuda(let index): "cuda:\(index)"
        case .mps: "mps"
        }
    }
}

/// Element types.
public enum DType: Int32, Sendable, CaseIterable {
    case uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, bool

    public var byteCount: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .int16, .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }

    public var isFloatingPoint: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64: true
        default: false
        }
    }
}

/// What matrix products and convolutions compute in. Parameters, sums and losses stay float32.
public enum Precision: String, Codable, Sendable, CaseIterable {
    case float32 = "fp32"
    case bfloat16 = "bf16"
}

/// Runs `body` under autocast at `precision`. The cache of cast weights ends with the region, so a
/// region must not reach over an optimizer step.
public func withPrecision<Result>(
    _ precision: Precision, on device: Device = .cpu, _ body: () throws -> Result
) rethrows -> Result {
    let kind = device.code.kind
    let before = ct_set_autocast(
        kind, ct_autocast(enabled: precision == .bfloat16, dtype: DType.bfloat16.rawValue))
    defer {
        _ = ct_set_autocast(kind, before)
        ct_clear_autocast_cache()
    }
    return try body()
}

/// Runs `body` without recording for gradients.
public func withoutGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ct_set_grad_enabled(false)
    defer { _ = ct_set_grad_enabled(before) }
    return try body()
}

/// An explicit source of the engine's random numbers. There is no global one in Limbeck: seed a
/// generator from a `Draw` for every purpose and step.
public final class Generator: @unchecked Sendable {
    // Used by one thread at a time; LibTorch locks it besides.
    let handle: ct_generator
    /// Whether layers that are made with this generator get first weights. Without, their tensors
    /// have shapes and no memory of their own: enough to compare a network with a file before
    /// anything as large as the file claims is made.
    public let makesValues: Bool

    public init(seed: UInt64, device: Device = .cpu, makesValues: Bool = true) {
        self.makesValues = makesValues
        var out: ct_generator?
        let code = device.code
        guard ct_generator_new(seed, code.kind, code.index, &out) == 0, let out else {
            fatalError("engine: no generator on \(device): \(String(cString: ct_last_error()))")
        }
        handle = out
    }

    deinit { ct_generator_free(handle) }
}
