import ArgumentParser
import Datasets
import Diagnostics
import Foundation
import Models
import Report
import Torch
import Training

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Says what the program runs on: engine, threads, device, precision, where the data is.")

    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Result: Encodable {
        var limbeck: String
        var engine: String
        var instructions: String
        var threads: Int
        var devices: [String]
        var bfloat16: Bool
        var embeddedData: String
        var engineFiles: String
        var ok: Bool
        enum CodingKeys: String, CodingKey {
            case limbeck, engine, instructions, threads, devices, bfloat16, ok
            case embeddedData = "embedded_data"
            case engineFiles = "engine_files"
        }
    }

    func run() throws {
        let devices = [Device.cpu, .cuda(0), .mps].filter(\.isAvailable).map(\.description)
        var data = "ok"
        do {
            let sizes = [try Dataset.embedded(.train).count, try Dataset.embedded(.test).count]
            data = "ok, \(sizes[0]) + \(sizes[1]) images in \(try Dataset.embeddedFolder())"
        } catch {
            data = "\(error)"
        }
        // One product of each kind, so that a broken engine is found here and not in a long run.
        let engineWorks =
            (try? Engine.checked {
                let a = Tensor.ones([4, 4])
                let x = Tensor.ones([1, 2, 8, 8])
                let y = conv2d(x, Tensor.ones([3, 2, 3, 3]), padding: 1)
                return a.matmul(a).sum().item == 64 && y.shape == [1, 3, 8, 8]
            }) ?? false
        let files = EngineFiles.state()
        let ok = engineWorks && data.hasPrefix("ok") && !files.isDamaged
        if json {
            Console.print(
                json: Result(
                    limbeck: limbeckVersion, engine: Engine.version,
                    instructions: Engine.capability,
                    threads: Engine.threads, devices: devices, bfloat16: Processor.hasBFloat16,
                    embeddedData: data, engineFiles: files.description, ok: ok))
        } else {
            let rows = [
                ["limbeck", limbeckVersion],
                ["engine", "LibTorch \(Engine.version)\(engineWorks ? "" : " (does not work)")"],
                ["engine files", files.description],
                ["instructions", Engine.capability],
                [
                    "threads",
                    "\(Engine.threads) of \(ProcessInfo.processInfo.activeProcessorCount) processors",
                ],
                ["devices", devices.joined(separator: ", ") + " (only cpu is tested)"],
                [
                    "precision",
                    Processor.hasBFloat16
                        ? "auto takes bf16 for convolutional networks, fp32 for lenet5, mlp and fasttext"
                        : "auto takes fp32: the processor has no bfloat16 products",
                ],
                ["embedded data", data],
            ]
            Console.print(
                TextTable(TableModel(columns: [.init("what"), .init("found")], rows: rows))
                    .render(limit: 160))
            Console.print("networks: " + ModelRegistry.names.joined(separator: " "))
        }
        if !ok { throw ExitCode(Problem.Kind.internal.rawValue) }
    }
}
