import ArgumentParser
import Dispatch
import Foundation
import Torch

extension Model: ExpressibleByArgument {}
extension Layout: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

@main
struct LimbeckStep: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limbeck-step",
        abstract: "Measures Limbeck's training step; speaks the protocol of peers/step.py.")

    @Option var model = Model.leNet5
    @Option var precision = Precision.float32
    @Option(help: "The trainer's own layout of images is nhwc.")
    var layout = Layout.nhwc
    @Option var steps = 50
    @Option(help: "Steps before the clock starts.")
    var warmup = 3
    @Option(help: "0: the engine's own choice.")
    var threads = 0
    @Flag(help: "Answer requests from standard input.")
    var serve = false

    func validate() throws {
        guard steps >= 1, warmup >= 0, threads >= 0 else {
            throw ValidationError("--steps is at least 1, --warmup and --threads at least 0")
        }
    }

    func run() throws {
        Engine.keepMemory()
        let command = self
        // On a thread like those that train phases: memory of secondary threads comes from other
        // arenas of the allocator than the main thread's, which large activations feel.
        let thread = Thread {
            do {
                try command.work()
                Foundation.exit(0)
            } catch {
                FileHandle.standardError.write(Data("limbeck-step: \(error)\n".utf8))
                Foundation.exit(1)
            }
        }
        thread.stackSize = 16 << 20
        thread.start()
        dispatchMain()
    }

    private func work() throws {
        if threads > 0 { Engine.threads = threads }
        let bench = Bench()
        if serve {
            try bench.serve()
        } else {
            let request = Request(
                model: model, precision: precision, layout: layout, steps: steps, warmup: warmup)
            try bench.reply(bench.measure(request))
        }
    }
}
