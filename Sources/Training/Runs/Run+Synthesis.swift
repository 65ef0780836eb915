import Diagnostics
import Distillation
import Torch

extension Run {
    /// Makes images and nothing else: trains the teacher if the recipe has it trained, and then does
    /// as many epochs of warm-up as `images` take. Continues where an earlier call was interrupted.
    ///
    /// - Returns: the pool, of at least so many images.
    /// - Throws: also for a recipe of another method.
    public func synthesise(images: Int) throws -> SyntheticPool {
        guard var last = chain.last, case .dataFree(var options, let source, let hash) = last.target
        else { throw Problem.noPool(folder) }
        let claim = try FolderClaim(folder, for: .run, using: environment.files)
        defer { claim.release() }
        for spec in chain.dropLast() {
            _ = try store.complete(spec, chain: chain, data: data, environment: environment)
        }
        let perEpoch = options.synthesis.batch * options.synthesis.warmUpBatches
        options.synthesis.warmUp = max(1, (images + perEpoch - 1) / perEpoch)
        options.synthesis.cap = nil
        last.target = .dataFree(options, source, embeddingsHash: hash)
        Engine.threads = compute.threads
        let path = "\(folder)/phases/images"
        let spec = last
        try store.inPhase(spec) {
            func trainer() throws -> PhaseTrainer {
                try PhaseTrainer(spec, data: data, folder: path, environment: environment) {
                    try store.weights($0, chain: chain, data: data)
                }
            }
            var maker = try trainer()
            do {
                try maker.prepare(firstEpoch: -1)
            } catch let problem as Problem where environment.remake && problem.isDamage {
                try environment.files.remove(path)
                maker = try trainer()
                try maker.prepare(firstEpoch: -1)
            }
            try maker.makeImages()
        }
        return try SyntheticPool(phase: path)
    }
}

extension PhaseTrainer {
    /// The warm-up alone, once it is prepared with a first epoch of −1.
    func makeImages() throws {
        guard let work = work as? SynthesisWork else { return }
        environment.observe(.began(spec, resumedAt: nil, steps: 0))
        // The epoch before the students' first.
        epoch = -1
        try work.searchForImages(self)
        try work.pass.finish()
        try store.removeAll()
    }
}
