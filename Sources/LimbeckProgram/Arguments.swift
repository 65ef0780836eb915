import ArgumentParser
import Diagnostics
import Files
import Foundation
import Models
import Torch
import Training

/// What trains on what.
struct ComputeArguments: ParsableArguments {
    @Option(help: "Engine threads per network. Results are byte-identical only at an equal count.")
    var threads: Int?

    @Option(help: "auto, cpu, cuda or mps. cuda and mps are untested.")
    var device: String = "auto"

    @Option(
        help:
            "auto, fp32 or bf16. auto takes bf16 for convolutional networks where the processor has it."
    )
    var precision: String = "auto"

    func validate() throws {
        if let threads { try checkThreads(threads) }
    }

    /// - Parameter concurrent: whether several networks train at a time, with a thread each.
    func resolve(model: ModelSpec, concurrent: Bool) throws(Problem) -> ComputeOptions {
        let threads = threads ?? (concurrent ? 1 : ProcessInfo.processInfo.activeProcessorCount)
        Engine.threads = threads
        return ComputeOptions(
            threads: threads, device: try resolvedDevice(), precision: try resolvedPrecision(model))
    }

    private func resolvedDevice() throws(Problem) -> Device {
        let wanted: Device
        switch device {
        case "auto": return .best
        case "cpu": wanted = .cpu
        case "cuda": wanted = .cuda(0)
        case "mps": wanted = .mps
        default:
            throw .unknownWord("--device", device, ["auto", "cpu", "cuda", "mps"])
        }
        guard wanted.isAvailable else {
            throw .noDevice(device)
        }
        return wanted
    }

    private func resolvedPrecision(_ model: ModelSpec) throws(Problem) -> Precision {
        if precision == "auto" { return Processor.prefersBFloat16(model) ? .bfloat16 : .float32 }
        guard let precision = Precision(rawValue: precision) else {
            throw .unknownWord("--precision", precision, ["auto", "fp32", "bf16"])
        }
        return precision
    }
}

func checkThreads(_ threads: Int) throws {
    guard (1...1024).contains(threads) else {
        throw ValidationError("--threads: found \(threads), expected 1 to 1024")
    }
}

/// What the processor can do, as far as choices depend on it.
enum Processor {
    static let hasBFloat16: Bool = {
        guard let info = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
            return false
        }
        return info.contains("avx512_bf16") || info.contains("amx_bf16")
    }()

    /// Residual networks gain from bfloat16 (`make bench`). LeNet-5, MLPs and fastText train in seconds
    /// either way and stay in float32.
    static func prefersBFloat16(_ model: ModelSpec) -> Bool {
        hasBFloat16 && !["mlp", "residual-mlp", "lenet5", "fasttext"].contains(model.name)
    }
}

extension TrainingEnvironment {
    /// The program's: real files, progress to standard error, Ctrl-C.
    static func program() throws(Problem) -> TrainingEnvironment {
        Interrupts.install()
        var environment = TrainingEnvironment()
        environment.shouldStop = { Interrupts.isRequested }
        environment.observe = { Progressing.shared.observe($0) }
        #if DEBUG
            environment.obeyTests()
        #endif
        return environment
    }

    #if DEBUG
        /// For the reliability tests, which use the debug program: die at the n-th file operation, or draw
        /// other random numbers. The released program has none of this.
        private mutating func obeyTests() {
            let variables = ProcessInfo.processInfo.environment
            if let text = variables["LIMBECK_TEST_KILL_AT_CALL"], let call = Int(text) {
                files = FaultyFileSystem(
                    .init(
                        .kill, atCall: call, halfWritten: variables["LIMBECK_TEST_KILL_HALF"] == "1"
                    ))
            }
            dropRandomState = variables["LIMBECK_TEST_DROP_RANDOM_STATE"] == "1"
        }
    #endif
}
