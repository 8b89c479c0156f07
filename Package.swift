// swift-tools-version: 6.2
import PackageDescription

// A target names every module that it imports, even one that comes with another: the build rebuilds by this list.

// Numeric targets are optimised in debug builds too, so that a plain `swift run rl2x` runs at release
// speed. A package with unsafe flags cannot be somebody's dependency, so a checkout of it as one
// goes without them (and is fast when its root package is built for release).
let isDependency = Context.packageDirectory.contains("/checkouts/")

let optimised: [SwiftSetting] =
    isDependency
    ? []
    : [
        .unsafeFlags(
            ["-O", "-whole-module-optimization", "-num-threads", "2", "-cross-module-optimization"],
            .when(configuration: .debug))
    ]
let optimisedC: [CSetting] = isDependency ? [] : [.unsafeFlags(["-O3", "-fno-math-errno", "-ffp-contract=fast"])]

let package = Package(
    name: "rl2x",
    products: [
        .library(
            name: "RL2X",
            targets: [
                "Platform", "Kernels", "Interface", "Autodiff", "Models", "Tasks", "Training", "Conformance", "Bench",
                "Demo", "Commands",
            ]),
        .executable(name: "rl2x", targets: ["rl2x"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", .upToNextMinor(from: "0.27.1")),
    ],
    targets: [
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .target(name: "Platform", swiftSettings: optimised),
        .target(name: "CKernels", cSettings: optimisedC, linkerSettings: [.linkedLibrary("m")]),
        .target(name: "Kernels", dependencies: ["CKernels", "COpenBLAS", "Platform"], swiftSettings: optimised),
        .target(name: "Interface", dependencies: ["Kernels"], swiftSettings: optimised),
        .target(name: "Autodiff", dependencies: ["Kernels", "CKernels", "Interface"], swiftSettings: optimised),
        .target(
            name: "Models", dependencies: ["Kernels", "Interface", "Autodiff"], path: "models",
            swiftSettings: optimised),
        .target(name: "Tasks", dependencies: ["Kernels", "Interface"], path: "tasks", swiftSettings: optimised),
        .target(
            name: "Training",
            dependencies: [
                "Platform", "Kernels", "Interface", "Autodiff", "Models", "Tasks",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: optimised),
        .target(
            name: "Conformance", dependencies: ["Kernels", "Interface", "Autodiff", "Models", "Tasks", "Training"],
            swiftSettings: optimised),
        .target(
            name: "Bench",
            dependencies: [
                "CPNG", "Kernels", "Interface", "Autodiff", "Models", "Tasks", "Training",
                .product(name: "Yams", package: "Yams"),
            ], path: "bench",
            exclude: ["plans", "results", "zoo"],
            swiftSettings: optimised),
        .target(
            name: "Demo",
            dependencies: [
                "Kernels", "Interface", "Models", "Tasks", "Training", "Bench",
                .product(name: "FlyingFox", package: "FlyingFox"), .product(name: "FlyingSocks", package: "FlyingFox"),
            ],
            swiftSettings: optimised),
        .target(
            name: "Commands",
            dependencies: [
                "Platform", "Kernels", "Interface", "Models", "Tasks", "Training", "Conformance", "Bench", "Demo",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: optimised),
        .executableTarget(name: "rl2x", dependencies: ["Commands"], swiftSettings: optimised),
        .target(
            name: "TestSupport", dependencies: ["Kernels", "Interface", "Autodiff", "Tasks", "Conformance"],
            path: "Tests/TestSupport", swiftSettings: optimised),
        .testTarget(name: "PlatformTests", dependencies: ["Platform"]),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Conformance", "TestSupport"]),
        .testTarget(name: "InterfaceTests", dependencies: ["Interface"]),
        .testTarget(
            name: "AutodiffTests",
            dependencies: ["CKernels", "Kernels", "Interface", "Autodiff", "Conformance", "TestSupport"],
            exclude: ["golden"]),
        .testTarget(
            name: "ModelsTests",
            dependencies: ["Kernels", "Interface", "Autodiff", "Models", "Conformance", "TestSupport"],
            exclude: ["golden"]),
        .testTarget(name: "TasksTests", dependencies: ["Kernels", "Interface", "Tasks", "Conformance", "TestSupport"]),
        .testTarget(
            name: "TrainingTests",
            dependencies: ["Kernels", "Interface", "Autodiff", "Models", "Tasks", "Training", "Conformance"],
            exclude: ["scripts", "version1"]),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "Kernels", "Interface", "Autodiff", "Models", "Tasks", "Training", "Conformance", "TestSupport",
            ]),
        .testTarget(
            name: "BenchTests", dependencies: ["Kernels", "Interface", "Models", "Tasks", "Training", "Bench"],
            exclude: ["golden"]),
        .testTarget(
            name: "DemoTests",
            dependencies: ["Kernels", "Interface", "Models", "Tasks", "Training", "Bench", "Demo"]),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "Kernels", "Interface", "Models", "Tasks", "Training", "Conformance", "Bench", "Commands", "rl2x",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
