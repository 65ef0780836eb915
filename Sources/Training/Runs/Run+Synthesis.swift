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
        let trainer = try PhaseTrainer(
            last, data: data, folder: path, environment: environment
        ) { try store.weights($0, chain: chain, data: data) }
        try trainer.makeImages()
        return try SyntheticPool(phase: path)
    }
}

extension PhaseTrainer {
    /// The warm-up alone.
    func makeImages() throws {
        try environment.files.createDirectory(folder)
        try resume(firstEpoch: -1)
        environment.observe(.began(spec, resumedAt: nil, steps: 0))
        // The epoch before the students' first.
        epoch = -1
        try searchForImages()
        try synthesis?.finish()
        try store.removeAll()
    }
}
